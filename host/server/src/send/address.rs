//! Which addresses are public.
//!
//! The lists are those of IANA's registries of special-purpose addresses (RFC
//! 6890 and what came after), with what is reserved, and with the forms of IPv6
//! that carry an IPv4 address to somewhere else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one that anybody on the internet may have: nothing
/// private, local, reserved or for documents, in no disguise.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Whether an address is this machine's own, also when written as IPv6.
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Networks of IPv4 that are not public: what they are for and how long their prefix is.
const NOT_PUBLIC_V4: &[(Ipv4Addr, u32)] = &[
    // This network, RFC 791.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private, RFC 1918.
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Behind a provider's translation, RFC 6598.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback, RFC 1122.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, with the metadata services of clouds, RFC 3927.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Private, RFC 1918.
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // Protocol assignments, RFC 6890.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation, RFC 5737.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // AS112, direct delegation, RFC 7535.
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    // AMT relays, RFC 7450.
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    // Relays of 6to4, RFC 7526.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Private, RFC 1918.
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // AS112, RFC 7534.
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    // Benchmarks, RFC 2544.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Documentation, RFC 5737.
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    // Documentation, RFC 5737.
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, RFC 5771.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, RFC 1112, and broadcast, RFC 919.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Networks within `2000::/3` that are not public. Outside of it nothing is.
const NOT_PUBLIC_V6: &[(Ipv6Addr, u32)] = &[
    // Protocol assignments with Teredo, benchmarks and ORCHID, RFC 2928.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation, RFC 3849.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4, which leads to the IPv4 address within, RFC 3056.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    // AS112, direct delegation, RFC 7534.
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
    // The 6bone, given back, RFC 3701.
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16),
    // Documentation, RFC 9637.
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Global unicast, the only part of IPv6 that is given to anybody.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The well-known prefix of translators, RFC 6052; `64:ff9b:1::/48` is for local
/// ones and never public.
const TRANSLATED: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(network, prefix): &(Ipv4Addr, u32)| {
        (address.to_bits() ^ network.to_bits()).leading_zeros() >= *prefix
    };
    !NOT_PUBLIC_V4.iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within = |(network, prefix): &(Ipv6Addr, u32)| {
        (address.to_bits() ^ network.to_bits()).leading_zeros() >= *prefix
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    if within(&TRANSLATED) {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    within(&GLOBAL_UNICAST)
        && !NOT_PUBLIC_V6.iter().any(within)
        // Anybody may pick the last half of an address, and ISATAP, RFC 5214,
        // leads to the IPv4 address in it.
        && !matches!(address.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, _, _])
}

#[cfg(test)]
mod tests {
    use url::{Host, Url};

    use super::*;

    #[test]
    fn only_public_addresses_are_public_however_they_are_written() {
        for (host, expected) in HOSTS {
            let url = Url::parse(&format!("https://{host}/")).unwrap();
            let address: IpAddr = match url.host().unwrap() {
                Host::Ipv4(address) => address.into(),
                Host::Ipv6(address) => address.into(),
                Host::Domain(name) => panic!("{host} is the name {name}"),
            };
            assert_eq!(is_public(address), *expected, "{host} is {address}");
        }
    }

    #[test]
    fn what_is_no_address_is_not_read_as_one() {
        for host in ["1.2.3.4.5", "256.0.0.1", "0x100000000", "127.0.0.09", "[::g]", "[::1%25lo]"] {
            assert!(Url::parse(&format!("https://{host}/")).is_err(), "{host}");
        }
    }

    #[test]
    fn loopback_is_loopback_in_both_families() {
        for (text, expected) in [
            ("127.0.0.1", true),
            ("127.255.0.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("::", false),
            ("0.0.0.0", false),
            ("128.0.0.1", false),
            ("::127.0.0.1", false),
            ("64:ff9b::127.0.0.1", false),
        ] {
            assert_eq!(is_loopback(text.parse().unwrap()), expected, "{text}");
        }
    }

    const HOSTS: &[(&str, bool)] = &[
        // Public, and the first and last ones beside what is not.
        ("1.1.1.1", true),
        ("8.8.8.8", true),
        ("9.255.255.255", true),
        ("11.0.0.0", true),
        ("100.63.255.255", true),
        ("100.128.0.0", true),
        ("126.255.255.255", true),
        ("128.0.0.1", true),
        ("169.253.255.255", true),
        ("169.255.0.0", true),
        ("172.15.255.255", true),
        ("172.32.0.0", true),
        ("192.0.1.0", true),
        ("192.167.255.255", true),
        ("192.169.0.0", true),
        ("198.17.255.255", true),
        ("198.20.0.0", true),
        ("223.255.255.255", true),
        ("134744072", true),
        ("0x08080808", true),
        ("010.0.0.1", true),
        ("[2606:4700:4700::1111]", true),
        ("[2a00:1450:4001::200e]", true),
        ("[2001:200::1]", true),
        ("[2001:4860:4860::8888]", true),
        ("[::ffff:8.8.8.8]", true),
        ("[64:ff9b::8.8.8.8]", true),
        // Loopback in decimal, octal, hexadecimal and with parts left out.
        ("127.0.0.1", false),
        ("127.0.0.1.", false),
        ("127.1", false),
        ("127.0.1", false),
        ("127.255.255.254", false),
        ("2130706433", false),
        ("0x7f000001", false),
        ("0X7F.1", false),
        ("017700000001", false),
        ("0177.0.0.1", false),
        ("0x7f.0.0x0.01", false),
        ("%31%32%37.0.0.1", false),
        ("１２７.０.０.１", false),
        ("①②⑦.⓪.⓪.①", false),
        ("127。0。0。1", false),
        ("0", false),
        ("0.0.0.0", false),
        ("0x0", false),
        ("0.255.255.255", false),
        // Private, link-local and translated.
        ("10.0.0.0", false),
        ("10.255.255.255", false),
        ("0xa.1", false),
        ("012.0.0.1", false),
        ("167772161", false),
        ("172.16.0.0", false),
        ("172.31.255.255", false),
        ("192.168.0.1", false),
        ("192.168.257", false),
        ("3232235777", false),
        ("0xc0a80101", false),
        ("100.64.0.0", false),
        ("100.127.255.255", false),
        ("169.254.169.254", false),
        ("2852039166", false),
        ("0xa9fea9fe", false),
        ("0251.0376.0251.0376", false),
        ("169.254.43518", false),
        // For protocols, documents and tests; multicast, reserved, broadcast.
        ("192.0.0.1", false),
        ("192.0.0.170", false),
        ("192.0.2.1", false),
        ("192.31.196.1", false),
        ("192.52.193.1", false),
        ("192.88.99.1", false),
        ("192.175.48.1", false),
        ("198.18.0.0", false),
        ("198.19.255.255", false),
        ("198.51.100.1", false),
        ("203.0.113.255", false),
        ("224.0.0.1", false),
        ("239.255.255.255", false),
        ("240.0.0.0", false),
        ("255.255.255.254", false),
        ("255.255.255.255", false),
        ("4294967295", false),
        // IPv6 of its own.
        ("[::]", false),
        ("[::1]", false),
        ("[0:0:0:0:0:0:0:1]", false),
        ("[::2]", false),
        ("[100::1]", false),
        ("[100:0:0:1::1]", false),
        ("[400::1]", false),
        ("[1fff::1]", false),
        ("[2001::1]", false),
        ("[2001:2::1]", false),
        ("[2001:10::1]", false),
        ("[2001:20::1]", false),
        ("[2001:1ff::1]", false),
        ("[2001:db8::1]", false),
        ("[2620:4f:8000::1]", false),
        ("[3ffe::1]", false),
        ("[3fff::1]", false),
        ("[3fff:fff::1]", false),
        ("[4000::1]", false),
        ("[5f00::1]", false),
        ("[fc00::1]", false),
        ("[fd12:3456:789a::1]", false),
        ("[fe80::1]", false),
        ("[febf::1]", false),
        ("[fec0::1]", false),
        ("[ff02::1]", false),
        ("[ff0e::1]", false),
        // IPv4 in IPv6.
        ("[::ffff:127.0.0.1]", false),
        ("[::ffff:7f00:1]", false),
        ("[0:0:0:0:0:ffff:a9fe:a9fe]", false),
        ("[::ffff:10.0.0.1]", false),
        ("[::ffff:0:127.0.0.1]", false),
        ("[::ffff:0:8.8.8.8]", false),
        ("[::127.0.0.1]", false),
        ("[::8.8.8.8]", false),
        ("[64:ff9b::127.0.0.1]", false),
        ("[64:ff9b::10.0.0.1]", false),
        ("[64:ff9b::a9fe:a9fe]", false),
        ("[64:ff9b:0:0:1::8.8.8.8]", false),
        ("[64:ff9b:1::8.8.8.8]", false),
        ("[64:ff9b:1:ffff::127.0.0.1]", false),
        ("[2002:7f00:1::]", false),
        ("[2002:a9fe:a9fe::1]", false),
        ("[2002:808:808::1]", false),
        ("[2001:0:4136:e378:8000:63bf:3fff:fdd2]", false),
        ("[2001:0:a9fe:a9fe::]", false),
        ("[2606:4700::5efe:10.0.0.1]", false),
        ("[2606:4700::200:5efe:127.0.0.1]", false),
    ];
}

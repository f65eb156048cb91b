//! How requests come in.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::entry::Entry;
use super::error::Wrong;
use super::section::Section;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const HOUR_MS: u64 = 3_600_000;

/// How requests come in.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the management API and its page are, if not there.
    pub management_listen: Option<SocketAddr>,
    /// Where the metrics are, if not there.
    pub metrics_listen: Option<SocketAddr>,
    /// How the world reaches this host, without a slash at the end.
    pub public_url: Option<String>,
    /// Who may say in a header who the client was.
    pub trusted_proxies: Vec<IpNet>,
    /// The largest body of a request.
    pub body_bytes_max: usize,
    /// How long the head of a request may take.
    pub request_header_timeout: Duration,
    /// How long the body of a request may take.
    pub body_timeout: Duration,
    /// Connections at the same time.
    pub connections_max: usize,
    /// How long turns in flight may take when the host stops.
    pub shutdown_grace: Duration,
}

impl Server {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let server = Self {
            listen: address(section.required("listen")?)?,
            management_listen: section.optional("management-listen").map(address).transpose()?,
            metrics_listen: section.optional("metrics-listen").map(address).transpose()?,
            public_url: section
                .optional("public-url")
                .map(|entry| {
                    entry.parsed("an address like \"https://bots.example.com\"", public_url)
                })
                .transpose()?,
            trusted_proxies: section
                .required("trusted-proxies")?
                .list("an address or a network, for example \"10.0.0.0/8\"", network)?,
            body_bytes_max: section.required("body-bytes-max")?.size(KIB..=64 * MIB, "bytes")?,
            request_header_timeout: section
                .required("request-header-timeout-ms")?
                .millis(100..=HOUR_MS)?,
            body_timeout: section.required("body-timeout-ms")?.millis(100..=HOUR_MS)?,
            connections_max: section
                .required("connections-max")?
                .size(1..=1_000_000, "connections")?,
            shutdown_grace: section.required("shutdown-grace-ms")?.millis(0..=HOUR_MS)?,
        };
        section.finish()?;
        Ok(server)
    }
}

fn address(entry: Entry<'_>) -> Result<SocketAddr, Wrong> {
    entry.parsed("an address and a port, for example \"127.0.0.1:8080\"", |text| {
        text.parse().map_err(|_| format!("`{text}` is none"))
    })
}

fn public_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it begins with https:// or http://".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it ends before the `?` or `#`".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds no user name and no password".to_owned());
    }
    if text.ends_with('/') {
        return Err("it has no slash at the end".to_owned());
    }
    Ok(text.to_owned())
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse()).map_err(|_| format!("`{text}` is none"))
}

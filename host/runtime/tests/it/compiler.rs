//! What a compiler says that is not ours, or not ours any more.

use std::path::Path;

use botyard_kernel::run::Blame;
use botyard_runtime::{CompileCommand, JailPart, LoadError};

use crate::host::{Host, load};

/// Something that is said, with its length before it.
fn header(json: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(json.len()).expect("short").to_le_bytes().to_vec();
    bytes.extend_from_slice(json.as_bytes());
    bytes
}

/// A compiler in a whole jail that has made this of whatever it gets.
fn compiled(claimed: u64, artefact: &[u8]) -> Vec<u8> {
    let part = |part: JailPart| {
        let name = part.name().strip_prefix("compile_jail_").expect("all begin so");
        format!(r#"{{"part":"{name}","active":true,"detail":""}}"#)
    };
    let bars = JailPart::ALL.map(part).join(",");
    let facts =
        r#"{"tier":"native","manifest":null,"component_bytes":4,"imports":[],"linked_bytes":9}"#;
    let said = format!(r#"{{"compiled":{{"facts":{facts},"artefact_bytes":{claimed}}}}}"#);
    [header(&format!(r#"{{"jailed":[{bars}]}}"#)), header(r#""checked""#), header(&said)]
        .into_iter()
        .chain([artefact.to_vec()])
        .flatten()
        .collect()
}

/// What the host makes of a compiler that says what is in a file.
async fn heard(said: &Path) -> LoadError {
    let host = Host::start_with(|config| config.compiler = CompileCommand::new("/bin/cat", [said]));
    load(&host.runtime, b"\0asm").await.expect_err("it is no compiler")
}

#[tokio::test]
async fn an_artefact_has_exactly_the_bytes_that_were_announced() {
    let said = tempfile::NamedTempFile::new().expect("a file");
    let rows: [(u64, &[u8], &str); 3] = [
        (10, b"123456789", "ends after 9 of 10 bytes"),
        (8, b"123456789", "1 bytes follow"),
        // Then it is only no machine code.
        (9, b"123456789", ""),
    ];
    for (claimed, artefact, words) in rows {
        std::fs::write(said.path(), compiled(claimed, artefact)).expect("room");
        let error = heard(said.path()).await;
        assert_eq!(error.blame(), Blame::Host, "{error}");
        let found = error.to_string();
        assert!(found.contains(words), "{words}: {found}");
        let of_length = found.contains("bytes follow") || found.contains("ends after");
        assert_eq!(of_length, !words.is_empty(), "{found}");
    }
    std::fs::write(said.path(), compiled(1 << 40, b"1")).expect("room");
    let error = heard(said.path()).await;
    assert!(matches!(&error, LoadError::TooMuchToCompile(_)), "{error}");
}

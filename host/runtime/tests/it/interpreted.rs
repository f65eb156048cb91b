//! JavaScript and Python bots.

use std::sync::Arc;

use botyard_runtime::Tier;

use crate::host::{Host, Values, input, interpreted, load, text};

/// A debug build of the host compiles these for a minute and more, so each is
/// loaded once for all that is to be seen.
async fn echoes(name: &str) {
    let host = Host::start();
    let version = load(&host.runtime, &interpreted(name)).await.expect("the plugin loads");
    assert_eq!(version.tier(), Tier::Interpreted);
    for word in ["hello", "again"] {
        let output = host.run(&version, input(word), Arc::new(Values::default())).await;
        assert_eq!(text(&output), word, "{:?}", output.log);
    }
}

#[tokio::test]
async fn javascript_runs() {
    echoes("echo_js").await;
}

#[tokio::test]
async fn python_runs() {
    echoes("echo_py").await;
}

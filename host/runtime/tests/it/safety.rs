//! The report of safety features says what is, not what was wished for.

use botyard_runtime::{CompileCommand, Features, Layout};

use crate::host::{Host, component, load};

fn inactive(host: &Host) -> Vec<&'static str> {
    let features = host.runtime.safety();
    features.into_iter().filter(|feature| !feature.active).map(|feature| feature.name).collect()
}

#[tokio::test]
async fn everything_is_active_by_default() {
    let host = Host::start();
    host.runtime.ask_compiler().await;
    let mut inactive = inactive(&host);
    // The one feature that needs a new kernel; it saves time, not safety.
    inactive.retain(|name| *name != "pagemap_scan");
    assert!(inactive.is_empty(), "{inactive:?}");
}

#[tokio::test]
async fn what_is_off_is_reported() {
    let host = Host::start_with(|config| {
        config.features = Features::NONE;
        config.layout = Layout::Fast;
        config.compiler = CompileCommand::new("/nowhere/botyard", ["compile"]);
    });
    let all: Vec<_> = host.runtime.safety().into_iter().map(|feature| feature.name).collect();
    assert_eq!(inactive(&host), all);
}

#[tokio::test]
async fn a_compiler_that_failed_is_reported() {
    let host = Host::start_with(|config| {
        config.compiler = CompileCommand::new("/bin/false", ["compile"]);
    });
    load(&host.runtime, &component("hostile")).await.expect_err("no compiler");
    assert!(inactive(&host).contains(&"compile_child"));
}

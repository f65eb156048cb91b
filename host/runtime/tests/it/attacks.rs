//! Every limit, and a bot that breaks it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use botyard_kernel::run::{Blame, FailureKind, LogLevel};
use botyard_runtime::{BotValues, TierLimits};

use crate::host::{Host, Values, failure, input, text};

#[tokio::test]
async fn a_spinning_bot_is_stopped_at_its_cpu_budget() {
    let host = Host::start_with(|config| config.native.limits = TierLimits::native());
    let output = host.hostile("spin").await;
    let failure = failure(&output);
    assert_eq!((failure.blame, failure.kind), (Blame::Bot, FailureKind::Cpu), "{failure}");
    assert!(failure.message.contains("50 ms of CPU"), "{failure}");
    assert!(failure.message.contains("attack::spin"), "{failure}");
    // On a busy machine the tick that ends it may come late, but it comes.
    assert!((50_000..500_000).contains(&output.cost.cpu_us), "{:?}", output.cost);
}

#[tokio::test(flavor = "current_thread")]
async fn spinning_bots_starve_neither_the_caller_nor_each_other() {
    let host = Host::start_with(|config| {
        config.guest_threads = 1;
        config.native.limits.cpu = Duration::from_millis(300);
    });
    let version = host.load("hostile").await;
    let values = Arc::new(Values::default());
    let run = |text: &str| host.run(&version, input(text), values.clone());
    let start = Instant::now();
    let quick = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        (run("echo still here").await, start.elapsed())
    };
    let (first, second, (echo, waited)) = tokio::join!(run("spin"), run("spin"), quick);
    assert_eq!(text(&echo), "still here");
    // Two spinning bots need 600 ms of the only processor that bots have, whatever the
    // machine does besides.
    assert!(waited < start.elapsed() / 2, "{waited:?} of {:?}", start.elapsed());
    for spinning in [first, second] {
        assert_eq!(failure(&spinning).kind, FailureKind::Cpu);
    }
}

#[tokio::test]
async fn waiting_for_ever_costs_cpu_time_only() {
    let output = Host::start().hostile("forever").await;
    assert_eq!(failure(&output).kind, FailureKind::Cpu, "{}", failure(&output));
}

#[tokio::test]
async fn memory_is_bounded() {
    let host = Host::start();
    let within = host.hostile("allocate 16").await;
    assert!(text(&within).starts_with("took 16 MiB"));
    assert!((16 << 20..20 << 20).contains(&within.cost.memory_bytes), "{:?}", within.cost);
    let output = host.hostile("allocate 40").await;
    assert!(output.cost.memory_bytes <= 32 << 20, "{:?}", output.cost);
    let failure = failure(&output);
    assert_eq!((failure.blame, failure.kind), (Blame::Bot, FailureKind::Memory), "{failure}");
    assert!(failure.message.contains("more than 32 MiB"), "{failure}");
}

#[tokio::test]
async fn the_stack_is_bounded() {
    let output = Host::start().hostile("recurse").await;
    let failure = failure(&output);
    assert_eq!((failure.blame, failure.kind), (Blame::Bot, FailureKind::Stack), "{failure}");
    assert!(failure.message.contains("256 KiB"), "{failure}");
    assert!(failure.message.contains("attack::recurse"), "{failure}");
}

#[tokio::test]
async fn a_panic_is_told_with_its_function_and_its_words() {
    let output = Host::start().hostile("panic the shop is closed").await;
    let failure = failure(&output);
    assert_eq!((failure.blame, failure.kind), (Blame::Bot, FailureKind::Trap), "{failure}");
    assert!(failure.message.contains("attack::panic_in_a_named_function"), "{failure}");
    assert!(failure.message.contains("the shop is closed"), "{failure}");
    let words = |line: &&botyard_kernel::run::LogLine| line.message.contains("the shop is closed");
    let line = output.log.iter().find(words).expect("the panic is in the log");
    assert_eq!(line.level, LogLevel::Error);
}

#[tokio::test]
async fn leaving_by_exit_is_a_trap() {
    let output = Host::start().hostile("exit 3").await;
    assert_eq!(failure(&output).kind, FailureKind::Trap);
    assert!(failure(&output).message.contains("exit("), "{}", failure(&output));
}

#[tokio::test]
async fn a_rejection_is_the_bots_own_word() {
    let output = Host::start().hostile("reject not for me").await;
    let failure = failure(&output);
    assert_eq!((failure.blame, failure.kind), (Blame::Bot, FailureKind::Rejected));
    assert_eq!(failure.message, "not for me");
}

#[tokio::test]
async fn actions_are_counted() {
    let host = Host::start();
    assert_eq!(host.hostile("actions 32").await.result.expect("allowed").len(), 32);
    let output = host.hostile("actions 33").await;
    let failure = failure(&output);
    assert_eq!((failure.blame, failure.kind), (Blame::Bot, FailureKind::Output), "{failure}");
    assert!(failure.message.contains("33 actions") && failure.message.contains("32"), "{failure}");
}

#[tokio::test]
async fn the_result_is_bounded_in_bytes() {
    let host = Host::start();
    assert!(host.hostile("result 60000").await.result.is_ok());
    let output = host.hostile("result 66000").await;
    assert_eq!(failure(&output).kind, FailureKind::Output);
    assert!(failure(&output).message.contains("64 KiB"), "{}", failure(&output));
}

#[tokio::test]
async fn a_huge_result_is_refused_before_the_host_copies_it() {
    let output = Host::start().hostile("result 5000000").await;
    assert_eq!(failure(&output).kind, FailureKind::Output, "{}", failure(&output));
    assert!(failure(&output).message.contains("1088 KiB"), "{}", failure(&output));
    let output = Host::start().hostile("actions 100000").await;
    assert_eq!(failure(&output).kind, FailureKind::Output, "{}", failure(&output));
}

#[tokio::test]
async fn the_log_is_cut_and_counted() {
    let host = Host::start();
    let output = host.hostile("log 100000").await;
    let kept: usize = output.log.iter().map(|line| line.message.len()).sum();
    // Each line takes 32 bytes besides its words.
    let all = kept + 32 * output.log.len();
    assert!((16_300..=16_384).contains(&all), "{all} bytes");
    assert_eq!(kept as u64 + output.log_cut_bytes, 100_000);
    let output = host.hostile("lines 50000").await;
    assert_eq!((output.log.len(), output.log_cut_bytes), (512, 49_488));
}

#[tokio::test]
async fn what_a_bot_prints_is_in_its_log() {
    let host = Host::start();
    let printed = host.hostile("stdout good morning").await;
    let lines: Vec<_> =
        printed.log.iter().map(|line| (line.level, line.message.as_str())).collect();
    assert_eq!(lines, [(LogLevel::Info, "good morning"), (LogLevel::Info, "no newline")]);
    let complained = host.hostile("stderr good night").await;
    let lines: Vec<_> =
        complained.log.iter().map(|line| (line.level, line.message.as_str())).collect();
    assert_eq!(lines, [(LogLevel::Error, "good night")]);
}

#[tokio::test]
async fn a_fault_of_the_host_is_not_the_bots() {
    struct Broken;

    #[async_trait]
    impl BotValues for Broken {
        async fn get(&self, _key: &str) -> anyhow::Result<Option<String>> {
            anyhow::bail!("the disk is gone")
        }
    }

    let host = Host::start();
    let version = host.load("hostile").await;
    let output = host.run(&version, input("kv bot.get a"), Arc::new(Broken)).await;
    let failure = failure(&output);
    assert_eq!((failure.blame, failure.kind), (Blame::Host, FailureKind::Internal), "{failure}");
    assert!(failure.message.contains("the disk is gone"), "{failure}");
}

#[tokio::test]
async fn a_panic_of_the_host_is_the_hosts() {
    struct Panics;

    #[async_trait]
    impl BotValues for Panics {
        async fn get(&self, _key: &str) -> anyhow::Result<Option<String>> {
            panic!("a bug of the host")
        }
    }

    let host = Host::start();
    let version = host.load("hostile").await;
    let output = host.run(&version, input("kv bot.get a"), Arc::new(Panics)).await;
    assert_eq!(failure(&output).blame, Blame::Host);
    assert_eq!(text(&host.hostile("echo alive").await), "alive");
}

#[tokio::test]
async fn a_late_turn_is_the_hosts_fault() {
    struct Slow;

    #[async_trait]
    impl BotValues for Slow {
        async fn get(&self, _key: &str) -> anyhow::Result<Option<String>> {
            std::future::pending().await
        }
    }

    let host = Host::start_with(|config| config.native.limits.wall = Duration::from_millis(100));
    let version = host.load("hostile").await;
    let output = host.run(&version, input("kv bot.get a"), Arc::new(Slow)).await;
    assert_eq!((failure(&output).blame, failure(&output).kind), (Blame::Host, FailureKind::Wall));
}

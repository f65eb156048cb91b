//! The command line. It ends with 0, with 1 for whatever went wrong, with 2 for
//! arguments that are wrong, and with 3 where no host can be spoken with.

mod channel;
mod check_store;
mod letters;
mod management;
mod operate;
mod precompile;
mod status;
mod twin;
mod vendor;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::admin::client::Unreachable;
use crate::app::App;
use crate::config::{self, Config};
use crate::supervisor::KeptSocket;
use crate::telemetry;
use management::{Management, manage};
use operate::{Operation, operate};

/// The exit code where no host can be spoken with.
const NO_HOST: u8 = 3;

/// Hosts chat bots: webhooks in, sandboxed bots, vendor calls out.
#[derive(Debug, Parser)]
#[command(name = "botyard", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the host until it is told to stop (SIGTERM or Ctrl-C).
    Serve {
        /// The settings; without a file only the defaults and the environment hold.
        #[arg(long, short, env = "BOTYARD_CONFIG")]
        config: Option<PathBuf>,
    },
    #[command(flatten)]
    Operate(Operation),
    #[command(flatten)]
    Manage(Management),
    Precompile(precompile::Precompile),
    /// Print the default settings, with an explanation of each.
    Config,
    /// Check settings, bots and channels without serving anything, or a store.
    Check {
        /// The settings to check.
        #[arg(long, short, env = "BOTYARD_CONFIG")]
        config: Option<PathBuf>,
        /// The directory of a store that no host is using: look through all of it
        /// for damage, in place of settings. Exits with 1 if there is any.
        #[arg(long)]
        store: Option<PathBuf>,
    },
    /// Make a store of a backup, in a directory that is not there yet, or empty. Put the
    /// host's keys beside it, as `keys`, before the host starts.
    Restore {
        /// The backup.
        backup: PathBuf,
        /// The directory of the new store.
        #[arg(long)]
        into: PathBuf,
    },
    /// Emulate a vendor, strictly, to try a bot or a host without an account.
    #[command(subcommand)]
    Twin(twin::Twin),
    /// Read a vendor's payloads and write its calls, without a server.
    #[command(subcommand)]
    Vendor(vendor::VendorCommand),
    /// Compile a component from standard input to standard output. The host
    /// calls this itself, in a process of its own.
    #[command(hide = true)]
    Compile,
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let result = match Arguments::parse().command {
        // Before anything else is set up: this process reads what strangers wrote.
        Command::Compile => {
            return botyard_runtime::compile_main(
                std::io::stdin().lock(),
                std::io::stdout().lock(),
            );
        }
        Command::Operate(operation) => in_runtime(operate(operation)),
        Command::Manage(command) => in_runtime(manage(command)),
        Command::Precompile(command) => in_runtime(precompile::precompile(command)),
        Command::Config => print_config(),
        Command::Check { store: Some(directory), .. } => check_store::run(&directory),
        Command::Check { config, store: None } => in_runtime(check(config.as_deref())),
        Command::Restore { backup, into } => restore(&backup, &into),
        Command::Twin(twin) => in_runtime(twin::twin(twin)),
        Command::Vendor(command) => vendor::run(&command),
        Command::Serve { config } => {
            // The environment can be changed only as long as there are no threads.
            KeptSocket::take().and_then(|kept| in_runtime(serve(config.as_deref(), kept)))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not be set up yet, and whoever started us reads this.
            let _ = writeln!(std::io::stderr(), "botyard: {error:#}");
            if error.is::<Unreachable>() { ExitCode::from(NO_HOST) } else { ExitCode::FAILURE }
        }
    }
}

fn print_config() -> anyhow::Result<()> {
    std::io::stdout().write_all(config::DEFAULT.as_bytes()).context("cannot print the settings")
}

fn in_runtime(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the threads of the host")?
        .block_on(work)
}

fn restore(backup: &Path, into: &Path) -> anyhow::Result<()> {
    let made = botyard_store::SqliteStore::restore(backup, into)?;
    let mut out = std::io::stdout();
    write!(out, "{}", operate::copied(&made))?;
    writeln!(out, "the host delivers nothing of it until `botyard release`")?;
    Ok(())
}

async fn check(file: Option<&Path>) -> anyhow::Result<()> {
    let config = Config::load(file, std::env::vars())?;
    let scratch = tempfile::tempdir().context("cannot make a scratch directory")?;
    App::check(&config, scratch.path()).await?;
    let tenants = config.tenants.len();
    writeln!(std::io::stdout(), "the settings are good: {tenants} tenants")?;
    Ok(())
}

async fn serve(file: Option<&Path>, kept: Option<KeptSocket>) -> anyhow::Result<()> {
    botyard_failpoints::check().map_err(anyhow::Error::msg)?;
    let config = Config::load(file, std::env::vars())?;
    telemetry::start_log(&config.log)?;
    #[cfg(feature = "broken")]
    break_promise()?;
    let metrics = telemetry::start_metrics()?;
    let app = Arc::new(App::start(config, metrics).await?);
    app.serve(kept, stop_signal()).await
}

/// Breaks the promise that BOTYARD_BROKEN names, so that a test can be seen to notice.
#[cfg(feature = "broken")]
fn break_promise() -> anyhow::Result<()> {
    use botyard_kernel::broken::{Mutation, set};
    let Ok(name) = std::env::var("BOTYARD_BROKEN") else { return Ok(()) };
    let names = Mutation::ALL.map(Mutation::name).join(", ");
    let unknown = || format!("BOTYARD_BROKEN: `{name}` is none of {names}");
    let mutation = Mutation::named(&name).with_context(unknown)?;
    set(Some(mutation));
    tracing::error!(name, "a promise is broken on purpose: this host is for tests only");
    Ok(())
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be heard: only Ctrl-C stops this host");
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_of_all_commands_fit_together() {
        Arguments::command().debug_assert();
    }
}

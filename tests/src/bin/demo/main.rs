//! The demo: a real host on a fresh store, two bots, the two conversations of
//! Userlike's documents as real HTTP against it, and the second bot once more at
//! every other vendor: Messenger, Lexer, Khoros, `MyAlice` and Instabot.

mod elsewhere;
mod screen;
mod stage;
mod story;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use botyard_tests::client::userlike::Conversation;
use botyard_tests::peers::userlike::Contact;
use clap::Parser;

use screen::Screen;
use stage::Stage;

/// Plays two conversations against a host.
#[derive(Parser)]
struct Arguments {
    /// Exit afterwards, with 0 or 1, instead of serving on.
    #[arg(long)]
    once: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nthe demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let screen = Screen::new();
    screen.note("starting the host on a fresh store (an unoptimized build compiles bots slowly)");
    let stage = Stage::set().await?;
    screen.note(&format!("the host listens on {}", stage.host.url()));
    let played = story::play(&screen, &stage).await;
    if let Err(error) = played {
        return Err(error.context(format!("the host's log:\n{}", stage.host.log())));
    }
    if let Err(error) = stage.elsewhere.play(&screen, &stage.host).await {
        return Err(error.context(format!("the host's log:\n{}", stage.host.log())));
    }
    screen.title("All conversations went as they should.");
    if arguments.once {
        stage.host.stop().await?;
        return Ok(());
    }
    serve_on(&screen, &stage).await
}

/// Keeps serving, and shows what the bots send by themselves.
async fn serve_on(screen: &Screen, stage: &Stage) -> Result<()> {
    let conversation = Conversation::open(stage.userlike.account(), &stage.orders, Contact::new())?;
    let body = conversation.body("start", serde_json::json!({}));
    let (header, secret) = stage.orders.header.clone().unwrap_or_default();
    println!("Try it yourself (the next events of the same cid continue the conversation):\n");
    println!("curl -s -H '{header}: {secret}' -d '{body}' {}\n", stage.orders.url);
    println!("Self-initiated calls appear below. Ctrl-C ends the demo.\n");
    let mut shown = stage.userlike.account().calls().len();
    loop {
        tokio::select! {
            stop = tokio::signal::ctrl_c() => return Ok(stop?),
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        for call in stage.userlike.account().calls().iter().skip(shown) {
            shown += 1;
            screen.called(call);
        }
    }
}

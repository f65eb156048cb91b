//! `botyard twin`: a vendor's emulator to talk to a host with.
//!
//! It runs in a process of its own, beside a host: nothing of what a host serves
//! knows it.

mod instabot;
mod instabot_bot;
mod khoros;
mod messenger;
mod myalice;
mod play;
mod settings;
mod userlike;

use anyhow::bail;
use clap::Subcommand;

/// The vendors that have a twin.
const VENDORS: &[&str] =
    &["userlike", "khoros", "messenger", "lexer", "myalice", "instabot", "instabot-bot"];

/// The vendors that have a twin.
#[derive(Debug, Subcommand)]
pub(super) enum Twin {
    /// Be Userlike: chat with a bot through a running host.
    ///
    /// Lines of standard input are what a person does; /help lists them.
    #[command(after_help = play::faults_help())]
    Userlike(userlike::Userlike),
    /// Be Khoros Care: an author on one network, and the agents behind the bot.
    ///
    /// Lines of standard input are what they do; /help lists them.
    #[command(after_help = play::faults_help())]
    Khoros(khoros::Khoros),
    /// Be Messenger, or Instagram: a person who writes to a page.
    ///
    /// Lines of standard input are what a person does; /help lists them.
    #[command(after_help = play::faults_help())]
    Messenger(messenger::Messenger),
    /// Be Lexer Respond and the page on Messenger that it rides on.
    ///
    /// Lines of standard input are what a person does; /help lists them.
    #[command(after_help = play::faults_help())]
    Lexer(messenger::Lexer),
    /// Be `MyAlice`: a customer who runs into an API block.
    ///
    /// Lines of standard input are what a customer does; /help lists them.
    #[command(after_help = play::faults_help())]
    Myalice(myalice::Myalice),
    /// Be a client of the Instabot Chat API: a user who chats with a bot.
    ///
    /// Lines of standard input are what a user does; /help lists them.
    #[command(after_help = play::faults_help())]
    Instabot(instabot::Instabot),
    /// Be Instabot itself, with a bot that a host hands conversations over to.
    ///
    /// Lines of standard input are what a live agent does; /help lists them.
    #[command(after_help = play::faults_help())]
    InstabotBot(instabot_bot::InstabotBot),
    /// What nobody knows is told what there is.
    #[command(external_subcommand)]
    Other(Vec<String>),
}

/// Runs a twin until its input ends.
pub(super) async fn twin(twin: Twin) -> anyhow::Result<()> {
    match twin {
        Twin::Userlike(it) => it.run().await,
        Twin::Khoros(it) => it.run().await,
        Twin::Messenger(it) => it.run().await,
        Twin::Lexer(it) => it.run().await,
        Twin::Myalice(it) => it.run().await,
        Twin::Instabot(it) => it.run().await,
        Twin::InstabotBot(it) => it.run().await,
        Twin::Other(words) => {
            let name = words.first().map_or("", String::as_str);
            bail!("there is no twin of `{name}`; known are: {}", VENDORS.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(subcommand)]
        twin: Twin,
    }

    #[test]
    fn all_vendors_have_a_twin_and_all_twins_are_listed() {
        let command = Line::command();
        let names: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(names, VENDORS);
        let mut spoken: Vec<_> = botyard_vendors::VENDORS.iter().map(|it| it.name).collect();
        // Instabot has two sides.
        spoken.push("instabot-bot");
        let mut twins = VENDORS.to_vec();
        spoken.sort_unstable();
        twins.sort_unstable();
        assert_eq!(spoken, twins);
        Line::command().debug_assert();
    }
}

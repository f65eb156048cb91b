//! Named points at which a host under test ends itself as if it had been killed.
//!
//! The host passes a [`Point`] wherever dying there might lose, double or
//! reorder something. In an ordinary build [`pass`] is empty. With the feature
//! `active` the variable `BOTYARD_FAILPOINT=NAME:NTH` names a point, and the
//! process sends itself SIGKILL at its NTH pass: nothing is flushed, no
//! destructor runs.

#[cfg(feature = "active")]
mod active;

/// The variable that names a point and, behind a colon, which pass of it is the
/// last, from 1.
pub const VARIABLE: &str = "BOTYARD_FAILPOINT";

/// What a host is doing when it passes a point: so a test knows how to get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It makes a new store, or brings the tables of an old one up to date.
    Migration,
    /// It starts, on any store.
    Start,
    /// It looks after a channel on a new store, where something is due at once.
    Upkeep,
    /// It works.
    Load,
    /// It was told to stop.
    Stop,
}

macro_rules! points {
    ($($(#[$doc:meta])* $point:ident = $name:literal in $phase:ident;)*) => {
        /// A point; every one of them is passed in exactly one place of the host.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Point {
            $($(#[$doc])* $point,)*
        }

        impl Point {
            /// All of them, in the order in which an event meets them.
            pub const ALL: &[Self] = &[$(Self::$point,)*];

            /// Its name in [`VARIABLE`].
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)*
                }
            }

            /// When it is passed.
            pub const fn phase(self) -> Phase {
                match self {
                    $(Self::$point => Phase::$phase,)*
                }
            }
        }
    };
}

points! {
    /// The directory is locked, the database not opened.
    StoreLocked = "store-locked" in Start;
    /// A step of a migration has not begun.
    MigrationBegins = "migration-begins" in Migration;
    /// A step of a migration is done, but not committed.
    MigrationWritten = "migration-written" in Migration;
    /// A step of a migration is committed.
    MigrationCommitted = "migration-committed" in Migration;
    /// The store is open; bots and channels are not there.
    StoreOpened = "store-opened" in Start;
    /// The host listens; nobody has looked for what is due.
    SweepFollows = "sweep-follows" in Start;
    /// That a chore is under way is committed; its call has not left.
    UpkeepAnnounced = "upkeep-announced" in Upkeep;
    /// The vendor has answered the call of a chore; nothing of it is stored.
    UpkeepAnswered = "upkeep-answered" in Upkeep;
    /// Conversations are due and were not woken.
    DueFound = "due-found" in Load;
    /// A webhook was read and verified; its lane has not heard of it.
    WebhookRead = "webhook-read" in Load;
    /// The bot is about to run.
    RunBegins = "run-begins" in Load;
    /// The bot has run; its lane has not heard of it.
    RunEnded = "run-ended" in Load;
    /// Events are written but not committed.
    AcceptWritten = "accept-written" in Load;
    /// Events are accepted; nobody was told.
    AcceptCommitted = "accept-committed" in Load;
    /// A bot's call within its turn is about to leave.
    FetchLeaves = "fetch-leaves" in Load;
    /// A bot's call within its turn was answered; nothing of it is stored.
    FetchAnswered = "fetch-answered" in Load;
    /// The answer of a call within a turn is written but not committed.
    RecordWritten = "record-written" in Load;
    /// The answer of a call within a turn is committed; the bot has not seen it.
    RecordCommitted = "record-committed" in Load;
    /// A turn with its event is written but not committed.
    FusedWritten = "fused-written" in Load;
    /// A turn with its event is committed; nobody was told.
    FusedCommitted = "fused-committed" in Load;
    /// The turn of an accepted event is written but not committed.
    TurnWritten = "turn-written" in Load;
    /// The turn of an accepted event is committed; nobody was told.
    TurnCommitted = "turn-committed" in Load;
    /// A claim of rows is about to be written; their call follows it.
    ClaimBegins = "claim-begins" in Load;
    /// A claim of rows is committed; their call has not left.
    ClaimCommitted = "claim-committed" in Load;
    /// A settlement is written but not committed.
    SettleWritten = "settle-written" in Load;
    /// A settlement is committed; nobody was told.
    SettleCommitted = "settle-committed" in Load;
    /// Everything of a transaction is written, nothing committed.
    BatchWritten = "batch-written" in Load;
    /// A transaction is committed; none of those who wait for it was told.
    BatchCommitted = "batch-committed" in Load;
    /// The write-ahead log is about to be moved into the database.
    CheckpointBegins = "checkpoint-begins" in Load;
    /// The write-ahead log was moved into the database.
    CheckpointEnded = "checkpoint-ended" in Load;
    /// The answer of a webhook is filled but not written.
    AnswerFilled = "answer-filled" in Load;
    /// The answer of a webhook was handed over whole; its lane has not heard of it.
    AnswerWhole = "answer-whole" in Load;
    /// A call to a vendor is about to leave.
    CallLeaves = "call-leaves" in Load;
    /// The vendor has answered a call; its lane has not heard of it.
    CallAnswered = "call-answered" in Load;
    /// What tells a vendor that an event was taken, or what follows from a delivery, is
    /// about to leave.
    AcknowledgementLeaves = "acknowledgement-leaves" in Load;
    /// The vendor has answered that; its lane has not heard of it.
    AcknowledgementAnswered = "acknowledgement-answered" in Load;
    /// A bot's request is about to leave.
    RequestLeaves = "request-leaves" in Load;
    /// A bot's request was answered; its lane has not heard of it.
    RequestAnswered = "request-answered" in Load;
    /// The host was told to stop and takes nothing more.
    Draining = "draining" in Stop;
    /// Everything has ended; the store is about to be closed.
    StoreCloses = "store-closes" in Stop;
}

impl Point {
    /// The point of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|point| point.name() == name)
    }
}

/// Ends the process here if [`VARIABLE`] says so.
#[inline(always)]
pub fn pass(point: Point) {
    #[cfg(feature = "active")]
    active::pass(point);
    #[cfg(not(feature = "active"))]
    let _ = point;
}

/// Checks [`VARIABLE`], so that a slip in it does not look like a point that is
/// never passed.
///
/// # Errors
///
/// It is set and names no point, or this build has none.
pub fn check() -> Result<(), String> {
    let Ok(value) = std::env::var(VARIABLE) else { return Ok(()) };
    if cfg!(feature = "active") {
        parse(&value).map(drop)
    } else {
        Err(format!("{VARIABLE} is set, but this build has no points: leave it out"))
    }
}

fn parse(value: &str) -> Result<(Point, u64), String> {
    let (name, nth) = value.split_once(':').unwrap_or((value, "1"));
    let point = Point::by_name(name).ok_or_else(|| {
        let names: Vec<_> = Point::ALL.iter().map(|point| point.name()).collect();
        format!("{VARIABLE}: no point is called `{name}`; there are {}", names.join(", "))
    })?;
    let nth = nth.parse().ok().filter(|nth| *nth > 0);
    let nth = nth.ok_or_else(|| format!("{VARIABLE}: write NAME:NTH, the first pass is 1"))?;
    Ok((point, nth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_again_and_unique() {
        for point in Point::ALL {
            assert_eq!(Point::by_name(point.name()), Some(*point));
        }
    }

    #[test]
    fn the_variable_is_read_strictly() {
        assert_eq!(parse("run-ended:3"), Ok((Point::RunEnded, 3)));
        assert_eq!(parse("run-ended"), Ok((Point::RunEnded, 1)));
        assert!(parse("run-ended:0").is_err());
        assert!(parse("run-ends:1").unwrap_err().contains("run-ended"));
    }
}

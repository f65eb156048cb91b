use botyard_kernel::time::DAY;
use tempfile::TempDir;

use super::*;
use crate::envelope::HostKey;

const NOW: Millis = 1_000;
const UNTIL: Millis = NOW + 2 * DAY;

/// Captures in a directory of their own, one of which runs.
struct Stage {
    directory: TempDir,
    captures: Arc<Captures>,
    envelope: Envelope,
    tenant: TenantId,
    channel: ChannelId,
}

impl Stage {
    fn set() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let captures = Captures::new(directory.path());
        let channel = ChannelId::from("chat");
        captures.begin(&channel, UNTIL);
        let envelope = Envelope::new(HostKey::new([7; 32]), []);
        Self { directory, captures, envelope, tenant: TenantId::from("acme"), channel }
    }

    fn keep(&self, kind: Kind, at_ms: Millis, body: &str) -> anyhow::Result<()> {
        let captured = Captured {
            at_ms,
            method: "POST".to_owned(),
            rest: String::new(),
            query: None,
            headers: Vec::new(),
            body: Some(body.to_owned()),
            body_base64: None,
            became: String::new(),
        };
        self.captures.keep(&self.envelope, (&self.tenant, &self.channel), kind, &captured)
    }

    fn bodies(&self) -> Vec<String> {
        self.shown().0
    }

    /// The bodies that are shown, and of how many others and unreadable ones is told.
    fn shown(&self) -> (Vec<String>, usize, usize) {
        let kept = self.captures.read(&self.envelope, &self.tenant, &self.channel).unwrap();
        let bodies = kept.webhooks.into_iter().filter_map(|captured| captured.body);
        (bodies.collect(), kept.of_others, kept.unreadable)
    }

    fn wants(&self, kind: Kind) -> bool {
        self.captures.wants(&self.channel, kind, NOW)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join("captures").join(name)
    }
}

#[test]
fn a_capture_ends_by_itself() {
    let Stage { captures, channel, .. } = Stage::set();
    assert!(!captures.wants(&ChannelId::from("other"), Kind::Taken, NOW));
    assert!(captures.wants(&channel, Kind::Taken, UNTIL - 1));
    assert!(!captures.wants(&channel, Kind::Taken, UNTIL));
    assert!(!captures.wants(&channel, Kind::Taken, NOW), "a clock that goes back begins nothing");
}

#[test]
fn what_anybody_can_send_does_not_end_a_capture() {
    let stage = Stage::set();
    let large = "x".repeat(400_000);
    stage.keep(Kind::Refused, NOW, "from a stranger").unwrap();
    let full = stage.keep(Kind::Refused, NOW, &large).and_then(|()| {
        let more = stage.keep(Kind::Refused, NOW, &large);
        more.and_then(|()| stage.keep(Kind::Refused, NOW, &large))
    });
    assert!(full.unwrap_err().to_string().contains("no more webhooks that are refused"));
    assert!(!stage.wants(Kind::Refused) && stage.wants(Kind::Taken));
    let size = fs::metadata(stage.file("chat.refused.jsonl")).unwrap().len();
    assert!(size <= REFUSED_BYTES_MAX, "{size}");
    stage.keep(Kind::Taken, NOW + 1, "from the vendor").unwrap();
    let bodies = stage.bodies();
    assert_eq!(bodies.first().unwrap(), "from a stranger");
    assert_eq!(bodies.last().unwrap(), "from the vendor");
}

#[test]
fn a_capture_ends_when_it_is_full() {
    let stage = Stage::set();
    stage.keep(Kind::Taken, NOW, "first").unwrap();
    let file = OpenOptions::new().append(true).open(stage.file("chat.jsonl")).unwrap();
    file.set_len(TAKEN_BYTES_MAX).unwrap();
    assert!(stage.keep(Kind::Taken, NOW, "last").unwrap_err().to_string().contains("is full"));
    assert!(!stage.wants(Kind::Taken) && !stage.wants(Kind::Refused));
}

#[test]
fn what_cannot_be_read_can_be_deleted() {
    let mut stage = Stage::set();
    stage.keep(Kind::Taken, NOW, "one").unwrap();
    stage.keep(Kind::Refused, NOW, "other").unwrap();
    stage.envelope = Envelope::new(HostKey::new([8; 32]), []);
    let Stage { captures, envelope, tenant, channel, .. } = &stage;
    let lost = captures.read(envelope, tenant, channel).unwrap_err();
    assert!(format!("{lost:#}").contains("put that key back"), "{lost:#}");
    let deleted = captures.take(envelope, tenant, channel).unwrap_err();
    let deleted = format!("{deleted:#}");
    assert!(deleted.contains("is deleted") && !deleted.contains("put that key back"), "{deleted}");
    assert_eq!(fs::read_dir(stage.file("")).unwrap().count(), 0);
    assert_eq!(stage.bodies(), [""; 0]);
}

#[test]
fn nothing_is_deleted_while_a_file_cannot_be_read() {
    let stage = Stage::set();
    stage.keep(Kind::Taken, NOW, "one").unwrap();
    // Whoever reads a directory fails, whatever they may do.
    let unreadable = stage.file("chat.refused.jsonl");
    fs::create_dir(&unreadable).unwrap();
    let failed = stage.captures.take(&stage.envelope, &stage.tenant, &stage.channel).unwrap_err();
    assert!(format!("{failed:#}").contains("nothing is deleted"), "{failed:#}");
    assert!(stage.wants(Kind::Taken), "the capture goes on");
    fs::remove_dir(&unreadable).unwrap();
    assert_eq!(stage.bodies(), ["one"]);
}

#[test]
fn nothing_is_kept_behind_a_deletion() {
    let stage = Stage::set();
    stage.keep(Kind::Taken, NOW, "before").unwrap();
    assert!(stage.wants(Kind::Taken), "so that another one is under way");
    let taken = stage.captures.take(&stage.envelope, &stage.tenant, &stage.channel).unwrap();
    assert_eq!(taken.webhooks.len(), 1);
    stage.keep(Kind::Taken, NOW, "under way").unwrap();
    assert_eq!(stage.bodies(), [""; 0]);
}

#[test]
fn what_has_lain_for_a_day_is_deleted_and_what_is_younger_stays() {
    let stage = Stage::set();
    assert_eq!(stage.captures.forget_old(NOW).unwrap(), 0, "nothing was ever kept");
    stage.keep(Kind::Taken, NOW, "old").unwrap();
    stage.keep(Kind::Taken, NOW + 1, "young").unwrap();
    stage.keep(Kind::Refused, NOW, "old").unwrap();
    let forget = |now| stage.captures.forget_old(now).unwrap();
    assert_eq!(forget(NOW + DAY), 0);
    assert_eq!(forget(NOW + DAY + 1), 2);
    assert_eq!(stage.bodies(), ["young"]);
    stage.keep(Kind::Taken, NOW + 2, "youngest").unwrap();
    assert_eq!(stage.bodies(), ["young", "youngest"], "the capture goes on");
    assert!(!stage.file("chat.refused.jsonl").exists());
    assert_eq!(forget(0), 0, "a clock may be a little behind");
    assert_eq!(forget(NOW + 2 * DAY), 2);
    assert_eq!(fs::read_dir(stage.file("")).unwrap().count(), 0);
}

#[test]
fn what_nobody_knows_the_age_of_is_deleted_and_stands_in_no_others_way() {
    let stage = Stage::set();
    stage.keep(Kind::Taken, NOW, "old").unwrap();
    fs::write(stage.file(SCRATCH), "what another host left behind").unwrap();
    fs::write(stage.file("other.jsonl"), [b"{\"at_ms\":", &[0xff][..]].concat()).unwrap();
    // Whoever reads a directory fails, whatever they may do.
    fs::create_dir(stage.file("a.jsonl")).unwrap();
    assert_eq!(stage.captures.forget_old(NOW + DAY + 1).unwrap(), 2);
    let left: Vec<_> = fs::read_dir(stage.file("")).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(left, [stage.file("a.jsonl")]);
}

#[test]
fn whose_channel_it_was_is_known_without_the_settings() {
    let stage = Stage::set();
    let owner = |name: &str| stage.captures.owner(&ChannelId::from(name)).unwrap();
    assert_eq!(owner("chat"), None);
    stage.keep(Kind::Refused, NOW, "one").unwrap();
    assert_eq!(owner("chat"), Some(stage.tenant.clone()));
    // Names that are none lead to no file.
    fs::copy(stage.file("chat.refused.jsonl"), stage.directory.path().join("above.jsonl")).unwrap();
    for name in ["other", "chat.refused", "../above", ""] {
        assert_eq!(owner(name), None, "{name}");
    }
}

#[test]
fn what_is_sealed_for_another_tenant_is_not_shown() {
    let mut stage = Stage::set();
    stage.keep(Kind::Taken, NOW, "one").unwrap();
    stage.tenant = TenantId::from("other");
    assert_eq!(stage.shown(), (vec![], 1, 0));
    // Nor do others stand in the way of what came since.
    stage.keep(Kind::Taken, NOW + 1, "ours").unwrap();
    assert_eq!(stage.shown(), (vec!["ours".to_owned()], 1, 0));
}

#[test]
fn what_another_key_sealed_stands_in_no_others_way() {
    let mut stage = Stage::set();
    stage.keep(Kind::Taken, NOW, "with the old key").unwrap();
    stage.envelope = Envelope::new(HostKey::new([8; 32]), []);
    stage.keep(Kind::Taken, NOW + 1, "with the new one").unwrap();
    assert_eq!(stage.shown(), (vec!["with the new one".to_owned()], 0, 1));
    let taken = stage.captures.take(&stage.envelope, &stage.tenant, &stage.channel).unwrap();
    assert_eq!((taken.webhooks.len(), taken.unreadable), (1, 1));
    assert_eq!(stage.shown(), (vec![], 0, 0));
}

#[test]
fn a_line_that_is_torn_takes_no_other_along() {
    let stage = Stage::set();
    stage.keep(Kind::Taken, NOW, "before").unwrap();
    let path = stage.file("chat.jsonl");
    let size = fs::metadata(&path).unwrap().len();
    stage.keep(Kind::Taken, NOW, "torn").unwrap();
    let file = OpenOptions::new().append(true).open(path).unwrap();
    file.set_len(size + 20).unwrap();
    stage.keep(Kind::Taken, NOW, "behind it").unwrap();
    assert_eq!(stage.bodies(), ["before", "behind it"]);
}

#[test]
fn what_is_kept_of_each_channel_is_known() {
    let stage = Stage::set();
    assert_eq!(stage.captures.sizes().unwrap(), HashMap::new());
    stage.keep(Kind::Taken, NOW, "one").unwrap();
    stage.keep(Kind::Refused, NOW, "two").unwrap();
    let files = ["chat.jsonl", "chat.refused.jsonl"].map(|name| stage.file(name));
    let bytes = files.map(|file| fs::metadata(file).unwrap().len()).iter().sum();
    // What a sweep has left behind is no channel's.
    fs::write(stage.file(SCRATCH), "half").unwrap();
    let sizes = stage.captures.sizes().unwrap();
    assert_eq!(sizes, HashMap::from([(stage.channel.clone(), bytes)]));
}

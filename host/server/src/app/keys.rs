//! The host's keys for what is secret: where they come from, and how another one takes
//! the place of the present one while the host works.

use anyhow::Context as _;
use botyard_store::Stamp;
use serde::{Deserialize, Serialize};

use super::App;
use super::key_file::{self, Purpose, SecretKeys};
use crate::config::Config;
use crate::envelope::{Envelope, HostKey};
use crate::tenancy::Resealed;

/// What came of another key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rotated {
    /// The key that seals now, by the first digits of its hash.
    pub key: String,
    /// It was made just now; otherwise it is that of the settings.
    pub made: bool,
    /// What was sealed with earlier keys.
    #[serde(flatten)]
    pub resealed: Resealed,
    /// Earlier keys that the host still has.
    pub earlier: Vec<String>,
}

/// The envelope with the keys of the settings, or with those that lie beside the store.
pub(super) fn envelope(config: &Config) -> anyhow::Result<Envelope> {
    let (own, before) = (config.keys.secrets.clone(), config.keys.secrets_before.clone());
    let files = SecretKeys::of(&config.store.directory);
    Ok(match own {
        // What an earlier host has sealed with a key of its own still opens.
        Some(key) => Envelope::new(key, before.into_iter().chain(files.all()?)),
        None => {
            let key = key_file::read_or_make(&config.store.directory, Purpose::Secrets)?;
            Envelope::new(HostKey::new(key), before.into_iter().chain(files.earlier()?))
        }
    })
}

impl App {
    /// Seals everything that is secret in the store with another key, while it is used:
    /// with a new one, or with that of the settings where they name one.
    ///
    /// # Errors
    /// The key cannot be written, or the store does not do it: then some of it is sealed
    /// with the one, some with the other, both are there, and this can be done again.
    pub async fn rotate_key(&self, stamp: &Stamp) -> anyhow::Result<Rotated> {
        let _one_at_a_time = self.rotating.lock().await;
        let envelope = self.work.envelope();
        let made = self.config.keys.secrets.is_none();
        if made {
            let present = envelope.keys().into_iter().next().context("the host has no key")?;
            let keys = SecretKeys::of(&self.config.store.directory);
            let renewed = tokio::task::spawn_blocking(move || keys.renew(&present)).await;
            envelope.turn_to(renewed.context("making the key broke down")??);
        }
        let resealed = self.tenancy.reseal(stamp).await?;
        let mut names = envelope.keys().into_iter().map(|key| key.name().to_owned());
        let key = names.next().context("the host has no key")?;
        let Resealed { sealed, locked } = resealed;
        tracing::warn!(key, sealed, locked, by = stamp.actor, "the key for secrets was changed");
        Ok(Rotated { key, made, resealed, earlier: names.collect() })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use botyard_kernel::id::TenantId;

    use super::*;

    /// The envelope of a store, with keys that the environment names.
    fn with_keys(store: &Path, keys: &[(&str, [u8; 32])]) -> Envelope {
        let directory = ("BOTYARD__STORE__DIRECTORY".to_owned(), store.display().to_string());
        let keys = keys
            .iter()
            .map(|(name, key)| (format!("BOTYARD__KEYS__{name}"), BASE64_STANDARD.encode(key)));
        let config = Config::load(None, [directory].into_iter().chain(keys)).unwrap();
        envelope(&config).unwrap()
    }

    #[test]
    fn a_key_of_the_environment_seals_and_none_lies_beside_the_store() {
        let store = tempfile::tempdir().unwrap();
        let (acme, (own, other)) = (TenantId::from("acme"), ([7; 32], [9; 32]));
        let sealed = with_keys(store.path(), &[("SECRETS", own)]).seal(&acme, "place", "sesame");
        assert!(!store.path().join("keys").join("secrets").exists());

        let opened = |keys: &[(&str, [u8; 32])]| {
            with_keys(store.path(), keys).open(&acme, "place", &sealed).ok()
        };
        let sesame = || Some("sesame".to_owned());
        assert_eq!(opened(&[("SECRETS", own)]), sesame());
        assert_eq!(opened(&[("SECRETS", other)]), None);
        assert_eq!(opened(&[("SECRETS", other), ("SECRETS_BEFORE", own)]), sesame());
    }

    #[test]
    fn what_a_key_file_has_sealed_opens_with_one_of_the_environment_as_well() {
        let store = tempfile::tempdir().unwrap();
        let acme = TenantId::from("acme");
        let sealed = with_keys(store.path(), &[]).seal(&acme, "place", "sesame");
        let moved = with_keys(store.path(), &[("SECRETS", [7; 32])]);
        assert_eq!(moved.open(&acme, "place", &sealed).ok().as_deref(), Some("sesame"));
    }
}

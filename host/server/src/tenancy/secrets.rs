//! The secrets of a tenant: put and taken away, and read by nobody outside of the host.

use botyard_kernel::id::TenantId;
use botyard_kernel::limits::Limit;
use botyard_kernel::time::Millis;
use botyard_store::{Stamp, StoreError};
use serde_json::json;
use subtle::ConstantTimeEq as _;

use super::objects::{found, named};
use super::records::{SecretRecord, kind, secret_place};
use super::stored::parsed;
use super::{Change, ChangeError, Tenancy};

/// At most so many bytes of a secret.
const SECRET_BYTES_MAX: usize = Limit::SecretBytes.preset_size();

/// What became of a secret that was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PutSecret {
    /// There was none of this name.
    pub fresh: bool,
    /// Since when it says this.
    pub updated_ms: Millis,
}

impl Tenancy {
    /// Puts a secret. What names it has it at once. One that says the same already stays as it
    /// is, and leaves no row in the audit.
    ///
    /// # Errors
    /// The tenant is in the settings file, the name is none, or the secret is too long.
    pub async fn put_secret(
        &self,
        tenant: &TenantId,
        name: &str,
        text: &str,
        stamp: &Stamp,
    ) -> Change<PutSecret> {
        named(name)?;
        if text.is_empty() || text.len() > SECRET_BYTES_MAX {
            let limit = Limit::SecretBytes;
            let what = format!("a secret has 1 to {SECRET_BYTES_MAX} bytes: the limit `{limit}`");
            return Err(ChangeError::TooMany(what));
        }
        let _turn = self.change(tenant).await;
        self.own(tenant).await?;
        if let Some(updated_ms) = self.says_so(tenant, name, text).await? {
            return Ok(PutSecret { fresh: false, updated_ms });
        }
        self.tried(tenant, |_, opened| {
            opened.insert(name.to_owned(), text.to_owned());
        })
        .await?;
        let sealed = self.work.envelope().seal(tenant, &secret_place(name), text);
        let record = SecretRecord { sealed, updated_ms: stamp.at_ms };
        let fresh = self.put(tenant, kind::SECRET, name, json!(record), stamp).await?;
        Ok(PutSecret { fresh, updated_ms: stamp.at_ms })
    }

    /// Since when a secret says this; nothing where it says something else. Whoever only asks
    /// learns nothing: asking is putting.
    async fn says_so(
        &self,
        tenant: &TenantId,
        name: &str,
        text: &str,
    ) -> Result<Option<Millis>, StoreError> {
        let Some(known) = self.store(tenant).get(kind::SECRET, name).await? else {
            return Ok(None);
        };
        let SecretRecord { sealed, updated_ms } = parsed(name, known)?;
        let opened = self.work.envelope().open(tenant, &secret_place(name), &sealed);
        // One that cannot be opened is put anew.
        Ok(opened
            .is_ok_and(|opened| bool::from(opened.as_bytes().ct_eq(text.as_bytes())))
            .then_some(updated_ms))
    }

    /// Takes a secret away.
    ///
    /// # Errors
    /// Something names it, or there is none.
    pub async fn delete_secret(&self, tenant: &TenantId, name: &str, stamp: &Stamp) -> Change<()> {
        let _turn = self.change(tenant).await;
        self.own(tenant).await?;
        if let Some(user) = self.records(tenant).await?.0.naming(name) {
            return Err(ChangeError::InUse(format!("{user} names this secret: change that first")));
        }
        found(self.store(tenant).delete(kind::SECRET, name, stamp).await)?;
        Ok(())
    }
}

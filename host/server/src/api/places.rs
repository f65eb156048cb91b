//! Room for what takes long: nobody takes all of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use botyard_kernel::id::TenantId;

use super::problem::{Code, Problem};

/// Room for one kind of request.
#[derive(Debug)]
pub struct Places {
    what: &'static str,
    host: usize,
    tenant: usize,
    taken: Arc<Mutex<HashMap<TenantId, usize>>>,
}

/// A place, for as long as it is held.
#[derive(Debug)]
pub struct Place {
    tenant: TenantId,
    taken: Arc<Mutex<HashMap<TenantId, usize>>>,
}

impl Places {
    /// So many at once in all, and so many of one tenant.
    pub fn new(what: &'static str, host: usize, tenant: usize) -> Self {
        Self { what, host, tenant, taken: Arc::default() }
    }

    /// A place, if there is one.
    ///
    /// # Errors
    /// [`Code::OverLimit`]: come again when another one has ended.
    pub fn take(&self, tenant: &TenantId) -> Result<Place, Problem> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.get(tenant).copied().unwrap_or(0);
        if own >= self.tenant || all >= self.host {
            let (of, most) =
                if own >= self.tenant { ("tenant", self.tenant) } else { ("host", self.host) };
            let detail = format!(
                "{} {} of this {of} are under way, and no more may be: come again when one has ended",
                most, self.what
            );
            return Err(Problem::new(Code::OverLimit, detail));
        }
        taken.insert(tenant.clone(), own + 1);
        Ok(Place { tenant: tenant.clone(), taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.tenant) {
            Some(own) if *own > 1 => *own -= 1,
            Some(_) | None => drop(taken.remove(&self.tenant)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_takes_its_part_and_places_come_free() {
        let places = Places::new("uploads", 3, 2);
        let (one, other) = (TenantId::from("one"), TenantId::from("other"));
        let first = places.take(&one).unwrap();
        let _second = places.take(&one).unwrap();
        assert!(places.take(&one).unwrap_err().detail.contains("this tenant"));
        let _third = places.take(&other).unwrap();
        assert!(places.take(&other).unwrap_err().detail.contains("this host"));
        drop(first);
        places.take(&other).unwrap();
        places.take(&one).unwrap();
    }
}

//! Room for what takes long: nobody takes all of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use botyard_kernel::id::TenantId;
use botyard_kernel::limits::Limit;

use super::problem::{Code, Problem};

/// Room for one kind of request.
#[derive(Debug)]
pub struct Places {
    /// How many there are in all, and of one tenant: rows of the table.
    host: (Limit, usize),
    tenant: (Limit, usize),
    /// When one of them should have ended, in seconds.
    ends_in_s: u64,
    taken: Arc<Mutex<HashMap<TenantId, usize>>>,
}

/// A place, for as long as it is held.
#[derive(Debug)]
pub struct Place {
    tenant: TenantId,
    taken: Arc<Mutex<HashMap<TenantId, usize>>>,
}

impl Places {
    /// As many as two limits say, of the host and of a tenant. Who finds none is told to
    /// come again after so many seconds.
    pub fn new(host: Limit, tenant: Limit, ends_in_s: u64) -> Self {
        let most = |limit: Limit| (limit, limit.preset_size());
        Self { host: most(host), tenant: most(tenant), ends_in_s, taken: Arc::default() }
    }

    /// A place, if there is one.
    ///
    /// # Errors
    /// [`Code::OverLimit`] where the tenant has too many, [`Code::Unavailable`] where all
    /// together have: come again when another one has ended.
    pub fn take(&self, tenant: &TenantId) -> Result<Place, Problem> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.get(tenant).copied().unwrap_or(0);
        let full = if own >= self.tenant.1 {
            Some((Code::OverLimit, self.tenant))
        } else if all >= self.host.1 {
            Some((Code::Unavailable, self.host))
        } else {
            None
        };
        if let Some((code, (limit, most))) = full {
            let (what, seconds) = (limit.row().what, self.ends_in_s);
            let detail = format!(
                "the limit `{limit}` is {most}, and so many are there now ({what}): come again \
                 in {seconds} s, or when one has ended"
            );
            return Err(Problem::new(code, detail).after(seconds));
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
    use axum::response::IntoResponse as _;
    use http::StatusCode;
    use http::header::RETRY_AFTER;

    use super::*;

    /// It names its limit, and says when to come again.
    fn refused(problem: Problem, status: StatusCode, limit: Limit) {
        assert!(problem.detail.contains(&format!("the limit `{limit}`")), "{}", problem.detail);
        let answer = problem.into_response();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()[RETRY_AFTER], "20");
    }

    #[test]
    fn a_tenant_takes_its_part_and_places_come_free() {
        let most = [(Limit::HostUploads, 3), (Limit::UploadsAtOnce, 2)];
        let [host, tenant] = most;
        let places = Places { host, tenant, ends_in_s: 20, taken: Arc::default() };
        let (one, other) = (TenantId::from("one"), TenantId::from("other"));
        let first = places.take(&one).unwrap();
        let _second = places.take(&one).unwrap();
        let over = places.take(&one).unwrap_err();
        refused(over, StatusCode::TOO_MANY_REQUESTS, Limit::UploadsAtOnce);
        let _third = places.take(&other).unwrap();
        let over = places.take(&other).unwrap_err();
        refused(over, StatusCode::SERVICE_UNAVAILABLE, Limit::HostUploads);
        drop(first);
        places.take(&other).unwrap();
        places.take(&one).unwrap();
    }

    #[test]
    fn there_are_as_many_as_the_table_says() {
        let places = Places::new(Limit::HostUploads, Limit::UploadsAtOnce, 1);
        let one = TenantId::from("one");
        let most = Limit::UploadsAtOnce.preset();
        let held: Vec<_> = (0..most).map(|_| places.take(&one).unwrap()).collect();
        assert!(places.take(&one).is_err());
        drop(held);
    }
}

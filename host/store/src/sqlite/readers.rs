//! Connections that only read.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::directory::Directory;
use super::health::store_error;
use super::schema;
use crate::{OpenError, StoreError};

/// How many reads run at once. They wait for the disk more than for the CPU.
const READERS: usize = 4;

pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn open(directory: &Directory) -> Result<Self, OpenError> {
        let idle: Result<Vec<_>, _> =
            (0..READERS).map(|_| schema::open_reader(directory)).collect();
        Ok(Self { idle: Arc::new(Mutex::new(idle?)), free: Arc::new(Semaphore::new(READERS)) })
    }

    /// Reads in one snapshot, which holds everything acknowledged before.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopping = || StoreError::Unavailable("the host is stopping".to_owned());
        let free = self.free.clone().acquire_owned().await.map_err(|_| stopping())?;
        let idle = self.idle.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let reader = Reader::take(&idle).ok_or_else(stopping)?;
            let answer = reader.snapshot(work);
            drop((reader, free));
            answer
        });
        reading.await.map_err(|_| stopping())?
    }
}

/// A connection that goes back to the idle ones, also after a panic.
struct Reader<'a> {
    database: Option<Connection>,
    idle: &'a Mutex<Vec<Connection>>,
}

impl<'a> Reader<'a> {
    fn take(idle: &'a Mutex<Vec<Connection>>) -> Option<Self> {
        let database = idle.lock().expect("nobody panics while taking").pop();
        database.map(|database| Self { database: Some(database), idle })
    }

    fn snapshot<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let database = self.database.as_ref().expect("it is taken away only in drop");
        let snapshot = database.unchecked_transaction().map_err(|e| store_error(&e))?;
        work(&snapshot)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let (Some(database), Ok(mut idle)) = (self.database.take(), self.idle.lock()) {
            idle.push(database);
        }
    }
}

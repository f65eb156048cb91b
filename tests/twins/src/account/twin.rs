//! A running twin.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::deliver::send_due;
use super::ledger::Due;
use super::{Account, Conduct, Vendor, front};
use crate::listener::Listener;

/// A running account with its API. It stops when it is dropped.
#[derive(Debug)]
pub struct Twin<V> {
    listener: Listener,
    account: Account<V>,
    // What the vendor does by itself, until somebody does it.
    due: Option<mpsc::UnboundedReceiver<Due>>,
    sender: Option<JoinHandle<()>>,
}

impl<V: Vendor> Twin<V> {
    /// Starts an account at this address; port 0 is a free one.
    ///
    /// # Errors
    ///
    /// The address cannot be had.
    pub fn start(vendor: V, conduct: Conduct, address: SocketAddr) -> Result<Self> {
        let mut twin = Self::bound(vendor, conduct, address)?;
        twin.open()?;
        Ok(twin)
    }

    /// As [`Twin::start`], but every connection is refused until it opens.
    ///
    /// # Errors
    ///
    /// The address cannot be had.
    pub fn bound(vendor: V, conduct: Conduct, address: SocketAddr) -> Result<Self> {
        let (account, due) = Account::new(vendor, conduct)?;
        let listener = Listener::bind(address)?;
        Ok(Self { listener, account, due: Some(due), sender: None })
    }

    /// Opens a closed twin.
    ///
    /// # Errors
    ///
    /// It is open.
    pub fn open(&mut self) -> Result<()> {
        let account = self.account.clone();
        self.listener.open(move |call| front::respond(account.clone(), call))?;
        if let Some(due) = self.due.take() {
            self.sender = Some(tokio::spawn(send_due(self.account.clone(), due)));
        }
        Ok(())
    }

    /// Where calls go, without a path: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// What this side remembers.
    pub fn account(&self) -> &Account<V> {
        &self.account
    }
}

impl<V> Drop for Twin<V> {
    fn drop(&mut self) {
        if let Some(sender) = &self.sender {
            sender.abort();
        }
    }
}

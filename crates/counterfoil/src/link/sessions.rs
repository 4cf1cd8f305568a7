//! From where a certificate speaks: one place at a time.
//!
//! Invariant: open sessions of one certificate come from one address; the newer place closes the older one, because a
//! terminal that has moved cannot end what it left, and neither a terminal nor its copy can stay unseen.

use super::connection::Connection;
use super::identity::TerminalRow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The open sessions under TLS, by whom their certificates name; no more than there are connections.
#[derive(Debug)]
pub(super) struct Sessions<I>(Mutex<HashMap<TerminalRow, Place<I>>>);

#[derive(Debug)]
struct Place<I> {
    address: IpAddr,
    connections: Vec<Arc<Connection<I>>>,
}

impl<I> Default for Sessions<I> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<I> Sessions<I> {
    /// Enters a session, and closes those of the same certificate from another address; gives that address.
    pub(super) fn enter(
        &self,
        row: &TerminalRow,
        address: IpAddr,
        connection: &Arc<Connection<I>>,
    ) -> Option<IpAddr> {
        let mut sessions = self.lock();
        let place = sessions.entry(row.clone()).or_insert_with(|| Place {
            address,
            connections: Vec::new(),
        });
        let left = (place.address != address).then_some(place.address);
        if left.is_some() {
            place.address = address;
            place.connections.drain(..).for_each(|older| older.close());
        }
        place.connections.push(Arc::clone(connection));
        left
    }

    /// Takes off a session that has ended.
    pub(super) fn leave(&self, row: &TerminalRow, connection: &Arc<Connection<I>>) {
        let mut sessions = self.lock();
        if let Some(place) = sessions.get_mut(row) {
            place
                .connections
                .retain(|open| !Arc::ptr_eq(open, connection));
            if place.connections.is_empty() {
                sessions.remove(row);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TerminalRow, Place<I>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The acquirer's desk: the pages and the API for the people who work with it, on a port of their own.
//!
//! A look changes nothing: every route of console and portal is a GET without side effects, so that none can move money.
//! What can is behind one form of its own, and its approval is somebody else's.

pub mod api;
mod console;
mod facts;
mod hub;
mod live;
mod portal;
mod remedy;
mod story;
mod survey;
mod tap;
mod visitor;

pub(crate) use hub::cause;
pub use hub::{FRESH_MAX, Hub, LOOK_MS, OPEN_MAX};
pub use tap::{MESSAGES_MAX, Tap};

use crate::config::Problem;
use crate::config::acquirer::AcquirerFile;
use crate::driver::DriverHandle;
use crate::eslip::Certifier;
use crate::party::Running;
use crate::people::proposals::Proposals;
use crate::people::{self, People, Permission};
use crate::web;
use crate::webhook::subscription::Subscriptions;
use acquirer::Acquirer;
use axum::Router;
use payment::MerchantId;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Everything the desk's pages may ask.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The acquirer.
    pub acquirer: DriverHandle<Acquirer>,
    /// Its data directory, where the archive is.
    pub data: PathBuf,
    /// Data directories of other parties whose archives may be read: in a sandbox.
    pub reads: Arc<[PathBuf]>,
    /// The names of the merchants.
    pub merchants: Arc<BTreeMap<MerchantId, String>>,
    /// Who looks at the acquirer for everybody.
    pub hub: Hub,
    /// The acquirer's last messages, masked.
    pub tap: Tap,
    /// Who works with it; `people.guard(routes, permission)` stands before every page.
    pub people: People,
}

impl Desk {
    /// The desk of a running acquirer. Must be called on the runtime.
    ///
    /// # Errors
    /// A merchant's number that is none, or people that cannot be read.
    pub fn of(file: &AcquirerFile, running: &Running<Acquirer>) -> Result<Self, Problem> {
        let mut merchants = BTreeMap::new();
        for text in &file.merchants {
            merchants.insert(crate::config::merchant_id(&text.id)?, text.name.clone());
        }
        let merchants = Arc::new(merchants);
        let acquirer = running.handle().clone();
        let tap = Tap::start(&acquirer).map_err(|error| format!("desk: {error}"))?;
        let people = People::open(&file.data, file.profile).map_err(|error| error.to_string())?;
        people.remedied_by(Arc::new(acquirer.clone()));
        Ok(Self {
            hub: Hub::start(acquirer.clone(), Arc::clone(&merchants), tap.clone()),
            acquirer,
            data: file.data.clone(),
            reads: file.desk_reads.clone().into(),
            merchants,
            tap,
            people,
        })
    }

    /// The pages of console and portal, without the sign-in that stands before them: each asks for the
    /// [`crate::people::Person`] that the sign-in names, and without one shows nothing.
    pub fn pages(&self) -> Router {
        let (console, portal) = (console::routes(), portal::routes());
        console.merge(portal).with_state(self.clone())
    }

    /// The name of a merchant; its number where it has none.
    pub fn merchant(&self, id: &MerchantId) -> String {
        let name = self.merchants.get(id).cloned();
        name.unwrap_or_else(|| id.to_string())
    }
}

/// An open desk.
#[derive(Debug)]
pub struct Opened {
    /// Where it is.
    pub address: SocketAddr,
    /// Who works there.
    pub people: People,
    /// Who looks at the acquirer for everybody.
    pub hub: Hub,
    /// Who is told of events.
    pub subscriptions: Subscriptions,
}

/// Serves the desk of a running acquirer on `desk_listen`, with `more` routes beside its own. Must be called on the runtime.
///
/// # Errors
/// The address is not a loopback address, or it cannot be taken.
pub async fn open(
    file: &AcquirerFile,
    running: &Running<Acquirer>,
    more: Router,
) -> Result<Option<Opened>, Problem> {
    let Some(address) = file.desk_listen else {
        return Ok(None);
    };
    let desk = Desk::of(file, running)?;
    // What was approved before a crash is done now.
    let proposals = Proposals::new(desk.people.clone());
    people::blocking(move || proposals.carry_on()).await;
    let api = api::Api {
        desk: desk.clone(),
        certifier: Certifier::new(file)?.map(Arc::new),
        subscriptions: Subscriptions::open(&desk.data, &desk.people)
            .map_err(|error| error.to_string())?,
        per_minute: file.api_per_minute,
    };
    let (people, hub) = (desk.people.clone(), desk.hub.clone());
    let subscriptions = api.subscriptions.clone();
    let own = people::routes(&people)
        .merge(api::routes(&api))
        .merge(remedy::routes(&desk));
    // Whose data somebody sees is decided page by page; here only that they are signed in.
    let pages = desk.people.guard(desk.pages(), Permission::ReadSales);
    let routes = web::site(pages.merge(own).merge(more));
    let address = crate::control::serve(address, routes).await?;
    Ok(Some(Opened {
        address,
        people,
        hub,
        subscriptions,
    }))
}

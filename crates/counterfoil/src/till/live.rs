//! Keeps a shown page live: the parts that changed, as HTML made here, pushed at once when the terminal shows something
//! and looked at again several times a second.

use super::visitor::Visitor;
use super::{Asked, Page, Shared, trace};
use crate::web::Language;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use pages::Lang;
use pages::till::{Door, parts};
use payment::Stan;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// The page is never older than this while its stream is open.
const LOOKS: Duration = Duration::from_millis(200);

/// One screen that follows the till.
struct Follower {
    page: Arc<Page>,
    lang: Lang,
    door: Door,
    picked: Option<Stan>,
    screens: super::Screens,
    sent: BTreeMap<&'static str, String>,
    _place: OwnedSemaphorePermit,
}

pub(super) async fn events(
    State(page): State<Shared>,
    Language(lang): Language,
    Query(asked): Asked,
    headers: HeaderMap,
) -> Response {
    let Ok(place) = Arc::clone(&page.followers).try_acquire_owned() else {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    };
    let once = asked
        .get("once")
        .filter(|once| super::orders::is_name(once));
    let door = page.door(&Visitor::of(&headers), once.cloned().unwrap_or_default());
    let follower = Follower {
        screens: page.screens.clone(),
        page,
        lang,
        door,
        picked: trace(&asked),
        sent: BTreeMap::new(),
        _place: place,
    };
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

impl Follower {
    /// The next change; none once the terminal has stopped.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let view = self.page.view(self.picked, None).await.ok()?;
            let mut changed = parts(self.lang, &view, &self.door);
            changed.retain(|(id, html)| self.sent.get(id) != Some(html));
            self.sent.extend(changed.iter().cloned());
            if !changed.is_empty() {
                let changed: BTreeMap<_, _> = changed.into_iter().collect();
                return Event::default().json_data(changed).ok();
            }
            tokio::select! {
                () = self.screens.changed() => {}
                () = tokio::time::sleep(LOOKS) => {}
            }
        }
    }
}

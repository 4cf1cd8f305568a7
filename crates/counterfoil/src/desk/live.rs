//! A page's live parts as server-sent events: each viewer is sent what the hub has made, and only what changed for it.

use super::hub::{Hub, Shown};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use pages::Lang;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::watch;

/// The stream of the board's parts for one viewer.
pub(super) fn board(hub: &Hub, lang: Lang, hop: Option<usize>) -> Response {
    let viewer = Viewer {
        boards: hub.boards(),
        sent: BTreeMap::new(),
        lang,
        hop,
    };
    let events = stream::unfold(viewer, |viewer: Viewer| async move {
        let (event, viewer) = viewer.next().await?;
        Some((Ok::<_, Infallible>(event), viewer))
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// One who looks.
struct Viewer {
    boards: watch::Receiver<Arc<Shown>>,
    /// What this viewer has, by element.
    sent: BTreeMap<&'static str, Arc<str>>,
    lang: Lang,
    hop: Option<usize>,
}

impl Viewer {
    /// Waits for a board that differs from what was sent; none when there will be no more.
    async fn next(mut self) -> Option<(Event, Self)> {
        loop {
            self.boards.changed().await.ok()?;
            let shown = Arc::clone(&self.boards.borrow_and_update());
            let parts = shown.parts(self.lang, self.hop);
            let changed = parts
                .iter()
                .filter(|(id, html)| self.sent.get(id).is_none_or(|sent| sent != html));
            let changed: BTreeMap<&str, &str> = changed.map(|(id, html)| (*id, &**html)).collect();
            if changed.is_empty() {
                continue;
            }
            let Ok(event) = Event::default().json_data(&changed) else {
                continue;
            };
            self.sent = parts.iter().cloned().collect();
            return Some((event, self));
        }
    }
}

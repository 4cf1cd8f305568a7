//! The live board's parts for one viewer: what the hub has made, whenever it has made it.

use super::hub::{Hub, Shown};
use crate::web::live::{Parts, Source};
use pages::Lang;
use std::sync::Arc;
use tokio::sync::watch;

/// One who looks.
pub(super) struct Viewer {
    boards: watch::Receiver<Arc<Shown>>,
    lang: Lang,
    hop: Option<usize>,
}

impl Viewer {
    /// Somebody who looks at the board, or at the loops that are open at one bead.
    pub(super) fn new(hub: &Hub, lang: Lang, hop: Option<usize>) -> Self {
        Self {
            boards: hub.boards(),
            lang,
            hop,
        }
    }
}

impl Source for Viewer {
    async fn next(&mut self) -> Option<Parts> {
        self.boards.changed().await.ok()?;
        let shown = Arc::clone(&self.boards.borrow_and_update());
        Some(shown.parts(self.lang, self.hop).clone())
    }
}

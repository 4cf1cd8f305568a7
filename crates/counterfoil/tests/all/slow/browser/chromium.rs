//! Chromium through its driver: what a person does with a page, what an axe finds on it, what it looks like.

use fantoccini::wd::{Capabilities, WindowHandle};
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Widths of the pictures, in pixels.
const WIDTHS: [u32; 2] = [360, 1_440];
/// The most that a page may weigh with all that it loads, in bytes.
const WEIGHT_MAX: u64 = 200_000;
/// The least side of what a finger presses, in pixels.
const TOUCH_PX: i64 = 44;
/// Controls of a page that a test walks through.
const STOPS_MAX: usize = 120;
const PATIENCE: Duration = Duration::from_secs(60);

/// What somebody points with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pointer {
    Mouse,
    Finger,
}

/// A browser and its driver.
pub(super) struct Browser {
    driver: Child,
    port: u16,
    client: Client,
}

impl Drop for Browser {
    /// Also of a test that fails: a driver that is killed leaves its browser behind, one that is asked takes it along.
    fn drop(&mut self) {
        if let Ok(mut driver) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = driver.set_read_timeout(Some(PATIENCE));
            let _ = driver.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let _ = driver.read_to_end(&mut Vec::new());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

impl Browser {
    pub(super) async fn open() -> Self {
        let port = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver (Debian: apt install chromium-driver)");
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--hide-scrollbars",
            "--lang=zh-CN",
        ];
        let options =
            json!({ "args": arguments, "prefs": { "intl.accept_languages": "zh-CN,zh" } });
        let mut wanted = Capabilities::new();
        wanted.insert("goog:chromeOptions".to_owned(), options);
        let address = format!("http://127.0.0.1:{port}");
        let mut tries = 0;
        let client = loop {
            match ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
                .capabilities(wanted.clone())
                .connect(&address)
                .await
            {
                Ok(client) => break client,
                Err(error) if tries == 100 => panic!("no browser: {error}"),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        Self {
            driver,
            port,
            client,
        }
    }

    pub(super) async fn close(self) {
        let _ = self.client.clone().close().await;
    }

    pub(super) async fn goto(&self, address: &str) {
        self.client
            .goto(address)
            .await
            .unwrap_or_else(|error| panic!("{address}: {error}"));
    }

    pub(super) async fn run(&self, script: &str) -> Value {
        self.client
            .execute(script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// The text of the first element that `css` selects, once it is there.
    pub(super) async fn text(&self, css: &str) -> String {
        let wait = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await;
        let element = wait.unwrap_or_else(|error| panic!("{css}: {error}"));
        element.text().await.unwrap_or_default()
    }

    /// Waits until the text that `css` selects fits.
    pub(super) async fn until(&self, css: &str, fits: impl Fn(&str) -> bool) -> String {
        let end = tokio::time::Instant::now() + PATIENCE;
        let mut last = String::new();
        while tokio::time::Instant::now() < end {
            let script =
                format!("const e = document.querySelector({css:?}); return e ? e.innerText : null");
            // A page that is just being left answers nothing.
            let told = self.client.execute(&script, Vec::new()).await;
            if let Some(text) = told.ok().as_ref().and_then(Value::as_str) {
                if fits(text) {
                    return text.to_owned();
                }
                last = text.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{css} stayed at {last:?}");
    }

    /// Clicks what `css` selects; a live page may just be putting a new one in its place.
    pub(super) async fn click(&self, css: &str) {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.client.find(Locator::Css(css)).await;
            let element = found.unwrap_or_else(|error| panic!("{css}: {error}"));
            match element.click().await {
                Ok(()) => return,
                Err(error) if error.is_stale_element_reference() => {}
                Err(error) => panic!("{css}: {error}"),
            }
            assert!(
                tokio::time::Instant::now() < end,
                "{css} never stands still"
            );
        }
    }

    /// Types on the keyboard, wherever it is.
    pub(super) async fn press(&self, keys: &str) {
        let element = self
            .client
            .find(Locator::Css("body"))
            .await
            .expect("a page");
        element
            .send_keys(keys)
            .await
            .unwrap_or_else(|error| panic!("{keys}: {error}"));
    }

    pub(super) async fn size(&self, width: u32, height: u32) {
        let _ = self.client.set_window_rect(0, 0, width, height).await;
        // A window has a least width of its own; what is measured is the page's.
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700 });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    async fn devtools(&self, command: &str, parameters: Value) {
        let issued = self
            .client
            .issue_cmd(Devtools {
                command: command.to_owned(),
                parameters,
            })
            .await;
        issued.unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    /// Looks at a page: see [`Browser::keep`].
    pub(super) async fn look(&self, name: &str, address: &str) {
        for width in WIDTHS {
            self.size(width, 900).await;
            self.goto(address).await;
            self.picture(name, width).await;
        }
        let weight = "return performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).reduce((sum, entry) => sum + entry.transferSize, 0)";
        let weight = self.run(weight).await.as_u64().unwrap_or(u64::MAX);
        assert!(weight <= WEIGHT_MAX, "{name} weighs {weight} bytes");
        self.judge(name).await;
    }

    /// Looks at the page as it stands, in both widths: a picture, nothing beyond the edge, and no serious fault of
    /// accessibility.
    pub(super) async fn keep(&self, name: &str) {
        for width in WIDTHS {
            self.size(width, 900).await;
            self.picture(name, width).await;
            self.judge(name).await;
        }
        self.size(WIDTHS[1], 900).await;
    }

    async fn picture(&self, name: &str, width: u32) {
        let height = self
            .run("return document.documentElement.scrollHeight")
            .await
            .as_u64()
            .unwrap_or(900);
        self.size(width, u32::try_from(height).unwrap_or(900).min(6_000))
            .await;
        let picture = self.client.screenshot().await.expect("a picture");
        let file = pictures().join(format!("{name}-{width}.png"));
        std::fs::write(&file, picture).expect("the picture is kept");
        let wide = self
            .run("return document.documentElement.scrollWidth")
            .await
            .as_u64()
            .unwrap_or(0);
        assert!(
            wide <= u64::from(width),
            "{name} is {wide} px wide at {width}"
        );
    }

    /// Presses what `css` selects with mouse or finger; a finger needs room.
    pub(super) async fn touch(&self, pointer: Pointer, css: &str) {
        if pointer == Pointer::Mouse {
            return self.click(css).await;
        }
        let script = format!(
            "const e = document.querySelector({css:?}); e.scrollIntoView({{block: 'center'}}); const b = e.getBoundingClientRect();\
             return [b.x + b.width / 2, b.y + b.height / 2, b.width, b.height].map(Math.round)"
        );
        let found = self.run(&script).await;
        let at = |n: usize| {
            found[n]
                .as_i64()
                .unwrap_or_else(|| panic!("{css}: {found}"))
        };
        assert!(
            at(2) >= TOUCH_PX && at(3) >= TOUCH_PX,
            "{css} is {} x {} px",
            at(2),
            at(3)
        );
        let point = json!([{ "x": at(0), "y": at(1) }]);
        for (kind, points) in [("touchStart", point), ("touchEnd", json!([]))] {
            let event = json!({ "type": kind, "touchPoints": points });
            self.devtools("Input.dispatchTouchEvent", event).await;
        }
    }

    /// Goes from control to control with the Tab key until the one with this text has the focus, and presses Enter.
    pub(super) async fn tab_to(&self, text: &str) {
        for _ in 0..STOPS_MAX {
            let focused = "const e = document.activeElement; return e ? e.innerText : ''";
            if self.run(focused).await.as_str().map(str::trim) == Some(text) {
                return self.enter().await;
            }
            self.key("\u{E004}").await;
        }
        panic!("no key leads to {text}");
    }

    async fn enter(&self) {
        self.key("\u{E007}").await;
    }

    /// A key for whatever has the focus.
    async fn key(&self, key: &str) {
        let focused = self.client.active_element().await.expect("the focus");
        focused
            .send_keys(key)
            .await
            .unwrap_or_else(|error| panic!("{key:?}: {error}"));
    }

    /// A window of its own for a page; the one that was open stays as it is.
    pub(super) async fn window(&self, address: &str) -> WindowHandle {
        let opened = self.client.new_window(true).await.expect("a window");
        self.switch(&opened.handle).await;
        self.size(WIDTHS[1], 900).await;
        self.goto(address).await;
        opened.handle
    }

    /// Closes the present window; another one must be chosen then.
    pub(super) async fn close_window(&self) {
        self.client.close_window().await.expect("it closes");
        let left = self.client.windows().await.expect("windows");
        self.switch(left.first().expect("one is left")).await;
    }

    /// A screen that fingers touch, or none.
    pub(super) async fn touch_screen(&self, there: bool) {
        let touch = json!({ "enabled": there, "maxTouchPoints": 1 });
        self.devtools("Emulation.setTouchEmulationEnabled", touch)
            .await;
    }

    pub(super) async fn this_window(&self) -> WindowHandle {
        self.client.window().await.expect("a window")
    }

    pub(super) async fn switch(&self, window: &WindowHandle) {
        let switched = self.client.switch_to_window(window.clone()).await;
        switched.expect("the window is there");
    }

    /// From now on this page writes down what `css` says, whenever that changes; a reload would lose it.
    pub(super) async fn watch(&self, css: &str) {
        let script = format!(
            "window.seen = []; const note = () => {{ const e = document.querySelector({css:?}); const t = e ? e.innerText.trim() : '';\
             if (t && t !== window.seen.at(-1)) window.seen.push(t); }};\
             note(); new MutationObserver(note).observe(document.body, {{ subtree: true, childList: true, characterData: true }});"
        );
        self.run(&script).await;
    }

    /// What was written down since.
    pub(super) async fn seen(&self) -> Vec<String> {
        let seen = self.run("return window.seen").await;
        let seen = seen.as_array().expect("the page was not loaded again");
        let texts = seen.iter().map(|text| text.as_str().unwrap_or_default());
        texts.map(str::to_owned).collect()
    }

    /// Waits until the last that was written down is this.
    pub(super) async fn until_seen(&self, text: &str) {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let seen = self.seen().await;
            if seen.last().is_some_and(|last| last == text) {
                return;
            }
            assert!(
                tokio::time::Instant::now() < end,
                "waited for {text}: {seen:?}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// axe-core: no serious and no critical fault.
    async fn judge(&self, name: &str) {
        let judge = std::fs::read_to_string(target().join("axe/axe.min.js"));
        let judge = judge.expect("axe-core: cargo xtask test browser fetches it");
        self.run(&judge).await;
        let script = "const done = arguments[arguments.length - 1];\
            axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then(found => done(found.violations\
            .filter(fault => ['serious', 'critical'].includes(fault.impact))\
            .map(fault => fault.id + ': ' + fault.nodes.slice(0, 3).map(node => node.html.slice(0, 120)).join(' | '))));";
        let found = self
            .client
            .execute_async(script, Vec::new())
            .await
            .expect("axe-core runs");
        assert_eq!(found, json!([]), "{name}");
    }
}

/// A command of the browser's own protocol, through the driver.
#[derive(Debug)]
struct Devtools {
    command: String,
    parameters: Value,
}

impl fantoccini::wd::WebDriverCompatibleCommand for Devtools {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.parameters });
        (http::Method::POST, Some(body.to_string()))
    }
}

fn target() -> PathBuf {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR"));
    own.parent().unwrap_or(own).to_owned()
}

fn pictures() -> PathBuf {
    let folder = target().join("pictures");
    std::fs::create_dir_all(&folder).expect("the folder of the pictures");
    folder
}

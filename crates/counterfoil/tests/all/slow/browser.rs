//! The pages in a real browser, as people use them: Chromium through its driver, over the demo's world.
//!
//! Pictures of every page at 360 and 1440 px are left in the target folder; axe-core judges each page.

use counterfoil::demo::{Pages, Ports, World};
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Widths of the pictures, in pixels.
const WIDTHS: [u32; 2] = [360, 1_440];
/// The most that a page may weigh with all that it loads, in bytes.
const WEIGHT_MAX: u64 = 200_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser and its driver.
struct Browser {
    driver: Child,
    client: Client,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

impl Browser {
    async fn open() -> Self {
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
        Self { driver, client }
    }

    async fn close(mut self) {
        let _ = self.client.clone().close().await;
        let _ = self.driver.kill();
    }

    async fn goto(&self, address: &str) {
        self.client
            .goto(address)
            .await
            .unwrap_or_else(|error| panic!("{address}: {error}"));
    }

    async fn run(&self, script: &str) -> Value {
        self.client
            .execute(script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// The text of the first element that `css` selects, once it is there.
    async fn text(&self, css: &str) -> String {
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
    async fn until(&self, css: &str, fits: impl Fn(&str) -> bool) -> String {
        let end = tokio::time::Instant::now() + PATIENCE;
        let mut last = String::new();
        while tokio::time::Instant::now() < end {
            let script =
                format!("const e = document.querySelector({css:?}); return e ? e.innerText : null");
            if let Some(text) = self.run(&script).await.as_str() {
                if fits(text) {
                    return text.to_owned();
                }
                last = text.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{css} stayed at {last:?}");
    }

    async fn click(&self, css: &str) {
        let element = self
            .client
            .find(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"));
        element
            .click()
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Types on the keyboard, wherever it is.
    async fn press(&self, keys: &str) {
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

    async fn size(&self, width: u32, height: u32) {
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

    /// Looks at a page in both widths: a picture, nothing beyond the edge, light enough, and no serious fault of accessibility.
    async fn look(&self, name: &str, address: &str) {
        for width in WIDTHS {
            self.size(width, 900).await;
            self.goto(address).await;
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
        let weight = "return performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).reduce((sum, entry) => sum + entry.transferSize, 0)";
        let weight = self.run(weight).await.as_u64().unwrap_or(u64::MAX);
        assert!(weight <= WEIGHT_MAX, "{name} weighs {weight} bytes");
        self.judge(name).await;
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

/// The demo's world with its pages, and a browser.
async fn shop(data: &Path) -> (World, Pages, Browser) {
    let world = World::start(data, Ports::FREE)
        .await
        .expect("the demo's world");
    let pages = world.open_pages().await.expect("the demo's pages");
    (world, pages, Browser::open().await)
}

fn on_runtime(test: impl AsyncFnOnce(&Path)) {
    let data = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(test(data.path()));
    runtime.shutdown_background();
}

#[test]
fn the_founding_case_is_told_in_one_sentence_everywhere() {
    on_runtime(async |data| {
        let (_world, pages, browser) = shop(data).await;
        let [till, public, console, merchant, lab] = [
            "Till",
            "Where is my money (cardholder)",
            "Console",
            "Merchant",
            "Fault lab",
        ]
        .map(|name| pages.link(name).expect("a page of the demo"));
        browser.goto(lab).await;
        browser.click("input[value=F2]").await;
        browser.click("button.main").await;
        let sentence = "自动冲正成功，款项将退回原卡";
        browser
            .until("#run .headline", |text| text == sentence)
            .await;
        let books = browser.text("#run table").await;
        assert!(books.contains("50,000.00"), "{books}");
        browser
            .until("#run", |text| {
                text.contains("✉") && text.contains("冲正凭证")
            })
            .await;
        browser.look("lab", lab).await;

        let api = format!("http://{}/api/v1/lab", pages.desk);
        let told = tokio::task::spawn_blocking(move || {
            ureq::get(&api).call()?.body_mut().read_to_string()
        });
        let told: Value =
            serde_json::from_str(&told.await.expect("a thread").expect("the lab answers"))
                .expect("JSON");
        let sale = &told["run"]["sale"];
        assert_eq!(sale["headline"][0], sentence);
        let (key, link) = (
            sale["key"].as_str().expect("a key"),
            sale["link"].as_str().expect("a link"),
        );

        browser.goto(till).await;
        browser.until("body", |text| text.contains(sentence)).await;
        browser.look("till", till).await;
        browser.goto(console).await;
        browser
            .look("console", &format!("http://{}/console", pages.desk))
            .await;
        let page = format!("http://{}/console/sale/{key}", pages.desk);
        browser.goto(&page).await;
        browser.until("body", |text| text.contains(sentence)).await;
        browser.look("sale", &page).await;
        for name in ["one-sided", "terminals", "settings", "plots"] {
            browser
                .look(name, &format!("http://{}/console/{name}", pages.desk))
                .await;
        }
        browser.goto(merchant).await;
        let shown = browser.run("return location.href").await;
        browser
            .look("merchant", shown.as_str().expect("an address"))
            .await;
        browser.look("where", public).await;
        let page = format!("{public}r/{link}");
        browser.goto(&page).await;
        browser.until("body", |text| text.contains(sentence)).await;
        browser.look("cardholder", &page).await;
        browser.goto(&format!("{page}?lang=en")).await;
        browser
            .until("body", |text| {
                text.contains("Reversed. Money returns to the card")
            })
            .await;
        browser.close().await;
    });
}

#[test]
fn a_sale_is_charged_with_the_keyboard_alone() {
    on_runtime(async |data| {
        let (_world, pages, browser) = shop(data).await;
        browser.goto(pages.link("Till").expect("the till")).await;
        browser.press("36.50\u{E007}").await;
        browser
            .until("body", |text| {
                text.contains("交易成功") && text.contains("交货")
            })
            .await;
        browser.close().await;
    });
}

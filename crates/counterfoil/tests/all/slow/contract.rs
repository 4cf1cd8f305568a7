//! The API against its own document: schemathesis asks a running acquirer what the document allows and what it does not,
//! and is seen to reject a document that promises something else.

use super::independent::interpreter;
use crate::installation::{Installation, Process, repository, start_till};
use crate::wait_until;
use counterfoil::config::Profile;
use counterfoil::desk::api::document;
use counterfoil::people::{People, Person, Role};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use ureq::Agent;

#[test]
fn the_api_keeps_its_document_and_another_document_is_noticed() {
    let world = World::start();
    let judged = world.judge(&document(), &[]);
    println!("{}", text(&judged));
    assert!(judged.status.success(), "{}", text(&judged));

    for (what, path, spoil) in spoilt() {
        let mut other = document();
        spoil(&mut other);
        let noticed = world.judge(&other, &["--include-path", path]);
        println!("{what}: {}", noticed.status);
        assert_eq!(noticed.status.code(), Some(1), "{what}: {}", text(&noticed));
    }
}

type Spoil = fn(&mut Value);

/// Documents that promise what the server does not keep, and the path where it shows.
fn spoilt() -> [(&'static str, &'static str, Spoil); 4] {
    [
        ("a number for a text", "/api/v1/sales", |document| {
            let row = "/components/schemas/SaleRow/properties/outcome/type";
            *document.pointer_mut(row).expect("it is there") = json!("integer");
        }),
        (
            "a refusal that is not documented",
            "/api/v1/events",
            |document| {
                let answers = "/paths/~1api~1v1~1events/get/responses";
                let answers = document.pointer_mut(answers).expect("it is there");
                answers.as_object_mut().expect("answers").remove("400");
                answers.as_object_mut().expect("answers").remove("422");
            },
        ),
        (
            "a limit that is another one",
            "/api/v1/terminals",
            |document| {
                let parameters = "/paths/~1api~1v1~1terminals/get/parameters";
                let parameters = document.pointer_mut(parameters).expect("it is there");
                let parameters = parameters.as_array_mut().expect("parameters");
                let limit = parameters.iter_mut().find(|one| one["name"] == "limit");
                limit.expect("a limit")["schema"]["maximum"] = json!(100);
            },
        ),
        ("another type of content", "/api/v1/webhooks", |document| {
            let answer = "/paths/~1api~1v1~1webhooks/get/responses/200/content";
            let answer = document.pointer_mut(answer).expect("it is there");
            let content = answer["application/json"].take();
            *answer = json!({ "application/xml": content });
        }),
    ]
}

/// A running acquirer with a transaction, a proposal and an address for events.
struct World {
    installation: Installation,
    key: String,
    sale: String,
    _till: Process,
    _hosts: [Process; 3],
}

impl World {
    fn start() -> Self {
        let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
        installation.adjust("acquirer.toml", &[("api_per_minute", "1000000")]);
        let hosts = installation.start_hosts();
        let mut till = start_till(&installation.terminal(1, &[("idle_report_ms", "100")]));
        till.expect_screen("signed-on");
        till.tell("sale 128.00");
        let shown = till.expect_screen("approved");
        let sale = shown["sale"].as_str().expect("a sale").replace('/', "-");
        let people = People::open(&installation.data("acquirer"), Profile::Sandbox);
        let people = people.expect("people open");
        // Reads and writes both.
        let key = people.make_key("test", "contract", Role::Supervisor, None);
        let staff = Person {
            name: "zhao".to_owned(),
            role: Role::Operator,
            merchant: None,
        };
        people
            .add("test", &staff, "correct horse battery")
            .expect("added");
        let world = Self {
            installation,
            key: key.expect("a key"),
            sale,
            _till: till,
            _hosts: hosts,
        };
        let role = json!({ "name": "zhao", "from": "operator", "to": "auditor" });
        assert_eq!(world.post("/proposals", &role), 200);
        let address = json!({ "address": "http://127.0.0.1:9/" });
        assert_eq!(world.post("/webhooks", &address), 200);
        let events = format!("http://{}/api/v1/events", world.at());
        wait_until("the archive has events", || {
            let agent = Agent::new_with_defaults();
            let asked = agent.get(&events).header("authorization", world.bearer());
            let answer = asked.call().expect("an answer").body_mut().read_to_string();
            answer.expect("text").contains("payment.answered")
        });
        world
    }

    fn at(&self) -> String {
        format!("127.0.0.1:{}", self.installation.ports().desk)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }

    fn post(&self, path: &str, body: &Value) -> u16 {
        let address = format!("http://{}/api/v1{path}", self.at());
        let asked = Agent::new_with_defaults()
            .post(address)
            .header("authorization", self.bearer())
            .content_type("application/json")
            .send(body.to_string());
        asked.expect("an answer").status().as_u16()
    }

    fn judge(&self, document: &Value, more: &[&str]) -> Output {
        let mut document = document.clone();
        for (path, named) in [
            ("~1api~1v1~1sales~1{reference}", json!(self.sale)),
            ("~1api~1v1~1webhooks~1{id}~1secret", json!(1)),
        ] {
            // A draw would name nothing.
            let place = format!("/paths/{path}/get/parameters/0");
            document.pointer_mut(&place).expect("a parameter")["example"] = named;
        }
        let document = self
            .installation
            .write("openapi.json", &document.to_string());
        let config = repository().join("tests/python/contract.toml");
        Command::new(interpreter())
            .args(["-m", "schemathesis.cli", "--config-file"])
            .arg(config)
            .args(["run", "--url", &format!("http://{}", self.at())])
            .args(["--header", &format!("Authorization: {}", self.bearer())])
            .args(more)
            .arg(&document)
            .current_dir(document.parent().unwrap_or(Path::new(".")))
            .output()
            .expect("Python starts")
    }
}

fn text(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{err}")
}

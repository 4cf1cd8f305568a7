//! Console and portal over real sockets: what staff see of a loop that broke, what a merchant does not see, and that looking
//! changes nothing.

use crate::installation::{Installation, Process, get, start_till};
use crate::{runtime, wait_until};
use axum::{Extension, Router};
use counterfoil::config::{self, acquirer::AcquirerFile};
use counterfoil::desk::Desk;
use counterfoil::people::{Person, Role};
use counterfoil::{control, party};
use payment::MerchantId;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

const OWN: &str = "898100053110001";
const OTHER: &str = "898100058120002";
const PAN: &str = "6228480000000123";

fn signal(name: &str, process: &Process) {
    let mut command = std::process::Command::new("kill");
    let status = command.args([name, &process.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

/// The desk's pages as somebody sees them who is signed in; the port.
async fn signed_in(desk: &Desk, role: Role, merchant: Option<&str>) -> u16 {
    let person = Person {
        name: "li".into(),
        role,
        merchant: merchant.and_then(|id| MerchantId::parse(id.as_bytes())),
    };
    serve(desk.pages().layer(Extension(person))).await
}

async fn serve(pages: Router) -> u16 {
    let free = "127.0.0.1:0".parse().expect("an address");
    control::serve(free, pages)
        .await
        .expect("it listens")
        .port()
}

fn page(port: u16, path: &str) -> String {
    let (status, page) = get(port, path).expect("an answer");
    assert_eq!(status, 200, "{path}: {page}");
    assert!(!page.contains("<script>alert"), "{path}: a name ran");
    assert!(!page.contains(PAN), "{path}: a clear card number");
    page
}

/// The acquirer's file with a merchant whose name is a script, and with the others' archives.
fn hostile(installation: &Installation) -> AcquirerFile {
    let text = std::fs::read_to_string(installation.path("acquirer.toml")).expect("the file");
    let reads = format!(
        "desk_reads = [{:?}, {:?}]\n",
        installation.data("network"),
        installation.data("issuer")
    );
    let text = reads + &text.replace("幸福里超市", "<script>alert(1)</script>");
    config::read(&installation.write("acquirer.toml", &text)).expect("it reads")
}

#[test]
fn staff_see_the_broken_loop_and_another_merchant_sees_nothing() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let _printer = installation.start_printer();
    let _network = installation.start("network");
    let issuer = installation.start("issuer");
    let runtime = runtime();
    let file = hostile(&installation);
    let (acquirer, desk, ports) = runtime.block_on(async {
        let acquirer = party::acquirer(&file).expect("it starts");
        let desk = Desk::of(&file, &acquirer).expect("a desk");
        let ports = [
            signed_in(&desk, Role::Operator, None).await,
            signed_in(&desk, Role::Merchant, Some(OWN)).await,
            signed_in(&desk, Role::Merchant, Some(OTHER)).await,
            serve(desk.pages()).await,
        ];
        (acquirer, desk, ports)
    });
    let [staff, own, other, nobody] = ports;
    let handle = acquirer.handle();
    wait_until("both members have keys", || {
        let acquirer = handle.look_blocking(|acquirer, _| acquirer.state().signed_on());
        acquirer == Ok(true)
    });

    let mut till = start_till(&installation.terminal(1, &[("idle_report_ms", "100")]));
    till.expect_screen("signed-on");
    let key = |screen: &serde_json::Value| screen["sale"].as_str().expect("a sale").to_owned();
    till.tell("sale 128.00");
    let paid = key(&till.expect_screen("approved"));
    signal("-STOP", &issuer);
    till.tell("sale 66.00");
    till.expect_screen("reversing");
    wait_until("the console says that it is being reversed", || {
        page(staff, "/console/one-sided").contains("66.00")
    });
    assert!(
        page(staff, "/console?hop=5").contains("66.00"),
        "its loop is open at the network"
    );
    assert!(
        !page(staff, "/console?hop=5").contains("128.00"),
        "the other is not"
    );
    assert!(page(own, "/merchant/unresolved").contains("66.00"));
    assert!(!page(other, "/merchant/unresolved").contains("66.00"));
    signal("-CONT", &issuer);
    let reversed = key(&till.expect_screen("reversed"));
    drop(till);
    wait_until("the archives have both", || {
        let told = page(staff, &format!("/console/sale/{reversed}?lang=en"));
        [
            "issuer's archive",
            "network's archive",
            "the issuer answered the reversal",
        ]
        .iter()
        .all(|words| told.contains(words))
    });

    let records = handle.figures().records;
    check_sale(staff, &paid, &reversed);
    check_live(staff, &reversed);
    check_scope([staff, own, other, nobody], &paid);
    for path in [
        "/console/terminals",
        "/console/plots",
        "/console/settings?network_ms=9000",
        "/console/one-sided/preview",
    ] {
        page(staff, path);
    }
    assert!(page(staff, "/console/settings?network_ms=9000").contains("network_ms = 9000"));
    assert_eq!(handle.figures().records, records, "looking changes nothing");
    drop(desk);
    acquirer.stop().expect("it stops");
}

/// The page of a sale tells its loop from what all archives say, in both languages.
fn check_sale(staff: u16, paid: &str, reversed: &str) {
    let told = page(staff, &format!("/console/sale/{paid}"));
    for words in [
        "128.00",
        "0200",
        "0210",
        "622848",
        "借贷相抵",
        "发卡行档案",
        "银联 → 发卡行",
        "sequenceDiagram",
        "slip.svg",
    ] {
        assert!(told.contains(words), "no {words} in {told}");
    }
    assert!(!told.contains("借贷不平"));
    let told = page(staff, &format!("/console/sale/{reversed}"));
    for words in ["66.00", "0420", "0430", "冲回", "无回应"] {
        assert!(told.contains(words), "no {words} in {told}");
    }
    let (status, slip) = get(staff, &format!("/console/sale/{paid}/slip.svg")).expect("a picture");
    assert!(status == 200 && slip.starts_with("<svg"));
}

/// The live parts are the same that the pages show.
fn check_live(staff: u16, reversed: &str) {
    let sale = format!("/console/sale/{reversed}");
    for (shown, live, part) in [
        ("/console", "/console/live", "figures"),
        (&*sale, &*format!("{sale}/live"), "salehead"),
    ] {
        assert!(page(staff, shown).contains(reversed));
        let mut stream = TcpStream::connect(("127.0.0.1", staff)).expect("it connects");
        write!(stream, "GET {live}?lang=en HTTP/1.1\r\nHost: desk\r\n\r\n").expect("it asks");
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let data = lines.find(|line| line.contains("data:")).expect("an event");
        assert!(data.contains(part) && data.contains(reversed) && !data.contains(PAN));
    }
}

/// Another merchant's sale is as if it were not there; the console is for staff; without a sign-in there is nothing.
fn check_scope([staff, own, other, nobody]: [u16; 4], paid: &str) {
    let status = |port, path: &str| get(port, path).expect("an answer").0;
    let sale = format!("/merchant/sale/{paid}");
    assert_eq!(
        [
            status(own, &sale),
            status(other, &sale),
            status(staff, &sale)
        ],
        [200, 404, 200]
    );
    assert_eq!(status(other, &format!("{sale}/slip.svg")), 404);
    for path in [
        "/console",
        "/console/live",
        "/console/plots",
        &format!("/console/sale/{paid}"),
        &format!("/console/sale/{paid}/live"),
    ] {
        assert_eq!(
            [status(own, path), status(nobody, path)],
            [403, 403],
            "{path}"
        );
    }
    assert_eq!(status(nobody, "/merchant"), 403);
    assert!(page(own, "/merchant").contains("128.00"));
    // The address names another merchant: a merchant's person sees their own all the same.
    assert!(!page(other, &format!("/merchant?merchant={OWN}")).contains("128.00"));
    assert!(
        page(
            staff,
            &format!("/merchant/transactions?merchant={OWN}&outcome=reversed")
        )
        .contains("66.00")
    );
    let file = page(own, "/merchant/transactions.csv?outcome=approved");
    assert!(file.contains("128.00") && !file.contains("66.00"), "{file}");
    assert!(!page(other, "/merchant/transactions.csv").contains("128.00"));
}

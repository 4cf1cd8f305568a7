//! Sign-in and sessions: what the cookie is, when it stops counting, who is locked out, and a code that opens once.

use super::{Desk, MERCHANT, PASSWORD, START_MS, person};
use counterfoil::config::Profile;
use counterfoil::people::{ABSOLUTE_MS, ENTRY_MS, IDLE_MS, LOCKED_MS, Role, TRIES_MAX};
use totp_rs::{Builder, Secret};

#[test]
fn the_cookie_is_tied_to_this_site_and_only_its_hash_is_kept() {
    for (profile, begins, secure) in [
        (Profile::Sandbox, "session=", false),
        (Profile::Production, "__Host-session=", true),
    ] {
        let desk = Desk::with(profile);
        desk.add("wang", Role::Merchant);
        let answer = desk.sign_in("wang", PASSWORD, "");
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, "/merchant")
        );
        let set = answer.header("set-cookie").to_owned();
        assert!(set.starts_with(begins), "{set}");
        for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Strict"] {
            assert!(set.contains(attribute), "{attribute} in {set}");
        }
        assert_eq!(set.contains("; Secure"), secure, "{set}");
        assert!(!set.contains("Domain"), "{set}");
        let cookie = answer.cookie();
        let id = cookie.split_once('=').expect("a value").1;
        assert_eq!(id.len(), 32, "128 bits as hex");
        assert_eq!(desk.get("/merchant", &cookie).status, 200);
        let file =
            std::fs::read(desk.data.path().join("people.db-wal")).expect("the log of writes");
        assert!(
            !file.windows(32).any(|bytes| bytes == id.as_bytes()),
            "the id is stored nowhere"
        );
        assert!(
            !file
                .windows(PASSWORD.len())
                .any(|bytes| bytes == PASSWORD.as_bytes())
        );
    }
}

#[test]
fn a_session_ends_by_time_by_sign_out_and_by_the_next_one() {
    let desk = Desk::open();
    desk.add("wang", Role::Merchant);
    let opened = || desk.sign_in("wang", PASSWORD, "").cookie();
    let inside = |cookie: &str| desk.get("/merchant", cookie).status == 200;

    let idle = opened();
    desk.wait(IDLE_MS - 1_000);
    assert!(inside(&idle), "asking keeps it");
    desk.wait(IDLE_MS - 1_000);
    assert!(inside(&idle));
    desk.wait(IDLE_MS + 1);
    assert!(!inside(&idle), "idle");

    let long = opened();
    for _ in 0..ABSOLUTE_MS / (IDLE_MS - 30_000) {
        desk.wait(IDLE_MS - 30_000);
        assert!(inside(&long));
    }
    desk.wait(IDLE_MS - 30_000);
    assert!(!inside(&long), "too old, though never idle");

    let first = opened();
    let form = format!("name=wang&password={}", PASSWORD.replace(' ', "+"));
    let second = desk.post("/login", &first, &form).cookie();
    assert!(
        !inside(&first) && inside(&second),
        "a sign-in ends the session before"
    );
    let out = desk.post("/logout", &second, &format!("csrf={}", desk.csrf(&second)));
    assert_eq!(out.status, 303);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert!(!inside(&second), "signed out");

    let disabled = opened();
    desk.people.disable("test", "wang", true).expect("done");
    assert!(!inside(&disabled));
    assert_eq!(desk.sign_in("wang", PASSWORD, "").status, 403);
}

#[test]
fn after_ten_wrong_tries_the_right_password_does_not_open() {
    let desk = Desk::open();
    desk.add("wang", Role::Merchant);
    let mut answers = Vec::new();
    for _ in 0..TRIES_MAX {
        answers.push(desk.sign_in("wang", "wrong password!", ""));
    }
    answers.push(desk.sign_in("wang", PASSWORD, ""));
    answers.push(desk.sign_in("nobody", PASSWORD, ""));
    for answer in &answers {
        assert_eq!(
            (answer.status, &answer.body),
            (403, &answers[0].body),
            "one answer for all"
        );
        assert!(answer.cookie().is_empty());
    }
    desk.wait(LOCKED_MS - 1);
    assert_eq!(desk.sign_in("wang", PASSWORD, "").status, 403);
    desk.wait(1);
    assert_eq!(desk.sign_in("wang", PASSWORD, "").status, 303);
    let (kept, _) = desk.people.audit(None).expect("the log");
    assert_eq!(
        kept.iter()
            .filter(|kept| kept.act == "person.locked")
            .count(),
        1
    );
}

#[test]
fn staff_set_up_a_second_factor_and_a_code_opens_once() {
    let desk = Desk::open();
    desk.add("li", Role::Operator);
    let weak = desk.sign_in("li", PASSWORD, "").cookie();
    let sent = desk.get("/console", &weak);
    assert_eq!(
        (sent.status, sent.header("location")),
        (303, "/account/second-factor")
    );

    let page = desk.get("/account/second-factor", &weak).body;
    let secret = page.split_once("<code>").expect("a secret").1;
    let secret = secret
        .split_once("</code>")
        .expect("its end")
        .0
        .replace(' ', "");
    assert!(page.contains(r#"<svg class="qr""#));
    let code = |at_ms: i64| {
        let totp = Builder::new()
            .with_secret(Secret::new(base32(&secret).into()))
            .build_noncompliant();
        totp.generate(at_ms as u64 / 1_000).to_string()
    };
    // The session's token is on the page itself: the account page is not open yet.
    let token = page
        .split_once(r#"name="csrf" value=""#)
        .expect("a token")
        .1;
    let token = token.split('"').next().expect("its end");
    let path = "/account/second-factor";
    assert_eq!(
        desk.post(path, &weak, &format!("csrf={token}&code=000000"))
            .status,
        400
    );
    let confirmed = desk.post(
        path,
        &weak,
        &format!("csrf={token}&code={}", code(START_MS)),
    );
    assert_eq!(confirmed.status, 303);
    assert_eq!(desk.get("/console", &confirmed.cookie()).status, 200);
    assert_ne!(
        desk.get("/account", &weak).status,
        200,
        "the weak session is over"
    );
    assert_eq!(
        desk.get(path, &confirmed.cookie()).status,
        303,
        "never shown again"
    );

    let signed_in = |code: &str| desk.sign_in("li", PASSWORD, code).status == 303;
    assert!(!signed_in(""), "a code is asked for");
    assert!(
        !signed_in(&code(START_MS)),
        "the code of the set-up was used"
    );
    desk.wait(30_000);
    assert!(signed_in(&code(START_MS + 30_000)));
    assert!(!signed_in(&code(START_MS + 30_000)), "once");
    desk.wait(30_000);
    assert!(!signed_in(&code(START_MS + 30_000)), "still once");
    assert!(signed_in(&code(START_MS + 60_000)));
}

fn base32(text: &str) -> Vec<u8> {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.chars() {
        bits = bits << 5 | letters.find(letter).expect("a letter") as u32;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

#[test]
fn an_entry_link_works_once_soon_and_in_a_sandbox_only() {
    let desk = Desk::open();
    let link = || {
        desk.people
            .entry_link(&person("li", Role::Operator))
            .expect("a link")
    };
    let once = link();
    assert_eq!(desk.get(&format!("{once}?next=/console"), "").status, 303);
    assert_eq!(desk.get(&once, "").status, 403);
    let late = link();
    desk.wait(ENTRY_MS + 1);
    assert_eq!(desk.get(&late, "").status, 403);
    let production = Desk::with(Profile::Production);
    assert!(
        production
            .people
            .entry_link(&person("li", Role::Operator))
            .is_err()
    );
    assert_eq!(production.get("/enter/0123", "").status, 403);
}

#[test]
fn nobody_is_sent_to_another_site() {
    let desk = Desk::open();
    desk.add("wang", Role::Merchant);
    let to_login = desk.get("/merchant?day=1&x=2", "");
    assert_eq!(
        to_login.header("location"),
        "/login?next=/merchant%3Fday%3D1%26x%3D2"
    );
    for (next, goes) in [
        ("/merchant?day=1", "/merchant?day=1"),
        ("//evil.example", "/merchant"),
        ("https://evil.example", "/merchant"),
        ("/\\evil.example", "/merchant"),
        ("", "/merchant"),
    ] {
        let next = next.replace('?', "%3F").replace('=', "%3D");
        let form = format!(
            "name=wang&password={}&next={next}",
            PASSWORD.replace(' ', "+")
        );
        assert_eq!(
            desk.post("/login", "", &form).header("location"),
            goes,
            "{next}"
        );
    }
    let page = desk.get(r#"/login?next=%22%3E%3Cscript%3E"#, "").body;
    assert!(!page.contains("<script>"), "{page}");
    assert!(
        desk.people.list().expect("people")[0]
            .person
            .merchant
            .is_some_and(|m| m.to_string() == MERCHANT)
    );
}

//! Where a notice may go that somebody else names: over TLS to public addresses only, whatever a name resolves to.
//!
//! Invariant: the address that was judged is the address that is connected to; nothing is followed to another one. A sandbox
//! may also post to its own loopback.

use crate::config::Profile;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

/// Longest address.
pub const ADDRESS_BYTES_MAX: usize = 500;
/// Longest time that one attempt may take, in milliseconds (security reference, C28).
pub const POST_MS: u64 = 5_000;
/// Largest head of an answer; its body is not read.
const HEAD_BYTES_MAX: usize = 64 * 1_024;

/// Why an address is not taken, zh-CN and en.
pub type Refusal = (&'static str, &'static str);

/// Judges an address as it is written; what its name resolves to is judged at every attempt.
///
/// # Errors
/// Why it is not taken.
pub fn check(address: &str, profile: Profile) -> Result<(), Refusal> {
    let malformed = ("地址格式不对", "This is no address");
    let uri: Uri = address.parse().map_err(|_| malformed)?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if address.len() > ADDRESS_BYTES_MAX || host.is_empty() || authority.contains('@') {
        return Err(malformed);
    }
    let number: Option<IpAddr> = host.parse().ok();
    let own = profile == Profile::Sandbox
        && (host == "localhost" || number.is_some_and(|ip| ip.is_loopback()));
    match uri.scheme_str() {
        Some("http") if own => return Ok(()),
        Some("https") => {}
        _ => return Err(("必须是 https", "It must be https")),
    }
    let public = number.is_none_or(is_public) && host != "localhost";
    let words = ("必须是公网地址", "It must be a public address");
    (public || own).then_some(()).ok_or(words)
}

/// What posts to such addresses.
pub fn agent(profile: Profile) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(Duration::from_millis(POST_MS)))
        .max_redirects(0)
        .http_status_as_error(false)
        .max_response_header_size(HEAD_BYTES_MAX)
        .proxy(None)
        .build();
    let loopback = profile == Profile::Sandbox;
    let resolver = Judged {
        loopback,
        resolver: DefaultResolver::default(),
    };
    Agent::with_parts(config, DefaultConnector::default(), resolver)
}

/// Gives the addresses of a name only when all of them may be connected to.
#[derive(Debug)]
struct Judged {
    loopback: bool,
    resolver: DefaultResolver,
}

impl Resolver for Judged {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        let may = |ip: IpAddr| is_public(ip) || (self.loopback && ip.is_loopback());
        match found.iter().all(|address| may(address.ip())) {
            true => Ok(found),
            false => Err(Error::HostNotFound),
        }
    }
}

/// Whether an address is one of the public internet.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let own = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified();
    let shared = a == 100 && (64..128).contains(&b);
    let special =
        (a, b, c) == (192, 0, 0) || a == 0 || a >= 224 || (a == 198 && (18..20).contains(&b));
    !(own || shared || special || ip.is_documentation())
}

/// Global unicast, without what carries an IPv4 address inside or belongs to examples.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    let global = first & 0xe000 == 0x2000;
    let carries = first == 0x2002 || (first == 0x2001 && second == 0);
    let example = (first == 0x2001 && second == 0x0db8) || (first == 0x3fff && second < 0x1000);
    global && !carries && !example
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (address, sandbox, production) in [
            ("https://hooks.example/in", true, true),
            ("https://8.8.8.8/in", true, true),
            ("https://[2606:4700::1111]/in", true, true),
            ("http://hooks.example/in", false, false),
            ("http://127.0.0.1:9/in", true, false),
            ("https://127.0.0.1/in", true, false),
            ("http://[::1]:9/in", true, false),
            ("http://localhost:9/in", true, false),
            ("https://10.0.0.1/in", false, false),
            ("https://172.16.0.1/in", false, false),
            ("https://192.168.1.1/in", false, false),
            ("https://169.254.169.254/latest", false, false),
            ("https://100.64.0.1/in", false, false),
            ("https://0.0.0.0/in", false, false),
            ("https://[::]/in", false, false),
            ("https://[fe80::1]/in", false, false),
            ("https://[fd00::1]/in", false, false),
            ("https://[::ffff:10.0.0.1]/in", false, false),
            ("https://[::ffff:127.0.0.1]/in", false, false),
            ("https://[2002:a00:1::]/in", false, false),
            ("https://user@8.8.8.8/in", false, false),
            ("ftp://8.8.8.8/in", false, false),
            ("/in", false, false),
            ("", false, false),
        ] {
            for (profile, taken) in [
                (Profile::Sandbox, sandbox),
                (Profile::Production, production),
            ] {
                assert_eq!(
                    check(address, profile).is_ok(),
                    taken,
                    "{address} {profile:?}"
                );
            }
        }
    }

    #[test]
    fn a_name_that_resolves_to_this_host_is_not_connected_to() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let address = format!("http://localhost:{port}/");
        let refused = agent(Profile::Production).post(&address).send("{}");
        assert!(matches!(refused, Err(Error::HostNotFound)), "{refused:?}");
    }
}

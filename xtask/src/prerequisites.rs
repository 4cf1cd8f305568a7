//! What the tests need from the machine, asked before anything runs; what is missing is said with how to get it.

use std::path::Path;
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files that the tests need at once.
const OPEN_FILES_MIN: u64 = 1024;

/// The PKCS#11 library of Debian's package; the tests of the token name the same.
const TOKEN_LIBRARY: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// The oldest Python that the independent judges run on.
const PYTHON_MIN: (u32, u32) = (3, 11);

/// Programs of Debian packages that the tests use, and their packages.
const PACKAGES: &[(&str, &str)] = &[
    ("softhsm2-util", "softhsm2"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("fc-list", "fontconfig"),
];

/// Raises what may be raised, says what was found, and names everything that is missing.
#[must_use]
pub fn check() -> Vec<String> {
    install(PACKAGES);
    [
        open_files(),
        python(),
        c_compiler(),
        token(),
        program("chromium", "the pages are driven in a browser"),
        program("chromedriver", "the browser is driven through it"),
    ]
    .into_iter()
    .filter_map(|answer| match answer {
        Ok(found) => {
            println!("  {found}");
            None
        }
        Err(missing) => Some(missing),
    })
    .collect()
}

fn open_files() -> Result<String, String> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = wanted_limit(current, maximum)?;
    if wanted != current {
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: wanted,
                maximum,
            },
        )
        .map_err(|error| {
            format!(
                "open files: the limit cannot be raised: {error}; run `ulimit -n {OPEN_FILES_MIN}`"
            )
        })?;
        return Ok(format!(
            "open files: raised to {}",
            wanted.unwrap_or(u64::MAX)
        ));
    }
    Ok(match current {
        Some(limit) => format!("open files: {limit}"),
        None => "open files: unlimited".to_owned(),
    })
}

/// The limit to work with: the present one if it suffices, else the hard one; `None` is no limit.
fn wanted_limit(current: Option<u64>, maximum: Option<u64>) -> Result<Option<u64>, String> {
    let suffices = |limit: Option<u64>| limit.is_none_or(|limit| limit >= OPEN_FILES_MIN);
    match (suffices(current), suffices(maximum)) {
        (true, _) => Ok(current),
        (false, true) => Ok(Some(maximum.unwrap_or(OPEN_FILES_MIN))),
        (false, false) => Err(format!(
            "open files: {OPEN_FILES_MIN} are needed, the hard limit is {}; raise it (for instance `nofile` in limits.conf)",
            maximum.unwrap_or(u64::MAX)
        )),
    }
}

fn python() -> Result<String, String> {
    let version = output("python3", &["-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
        .map_err(|error| format!("python3: {error}; install Python 3.11 or later (Debian: apt install python3 python3-venv)"))?;
    python_suffices(&version)?;
    output("python3", &["-c", "import venv, ensurepip"]).map_err(|_| {
        format!("python3: venv or ensurepip is missing (Debian: apt install python{version}-venv)")
    })?;
    Ok(format!("python3: {version} with venv"))
}

fn python_suffices(version: &str) -> Result<(), String> {
    let parsed = version
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match parsed {
        Some(version) if version >= PYTHON_MIN => Ok(()),
        _ => Err(format!(
            "python3: {version} is too old, {}.{} or later is needed",
            PYTHON_MIN.0, PYTHON_MIN.1
        )),
    }
}

fn c_compiler() -> Result<String, String> {
    let name = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    output(&name, &["--version"])
        .map(|version| format!("C compiler: {}", version.lines().next().unwrap_or_default()))
        .map_err(|error| format!("C compiler: {name}: {error}; SQLite is built from C (Debian: apt install build-essential)"))
}

/// The tests of the PKCS#11 back end run against a real token.
fn token() -> Result<String, String> {
    let missing = |what: &str| {
        format!("SoftHSM: {what}; the PKCS#11 tests need a token (Debian: apt install softhsm2)")
    };
    let version = output("softhsm2-util", &["--version"]).map_err(|error| missing(&error))?;
    if !Path::new(TOKEN_LIBRARY).exists() {
        return Err(missing(&format!("{TOKEN_LIBRARY} is absent")));
    }
    Ok(format!("SoftHSM: {version}"))
}

/// Installs what is missing where that is ours to do: on a Debian machine, as root. Elsewhere the checks name it.
fn install(packages: &[(&str, &str)]) {
    let missing: Vec<&str> = packages
        .iter()
        .filter(|(program, _)| !is_installed(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() || !rustix::process::geteuid().is_root() || !is_installed("apt-get") {
        return;
    }
    println!("  installing {}", missing.join(" "));
    for arguments in [
        &["update", "--quiet"][..],
        &["install", "--quiet", "--yes", "--no-install-recommends"],
    ] {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        if arguments[0] == "install" {
            apt.args(&missing).arg("fonts-noto-cjk");
        }
        // What it could not install is named by the checks that follow.
        let _ = apt.stdout(std::process::Stdio::null()).status();
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn program(name: &str, why: &str) -> Result<String, String> {
    let package = PACKAGES.iter().find(|(program, _)| *program == name);
    let package = package.map_or(name, |(_, package)| package);
    output(name, &["--version"])
        .map_err(|error| format!("{name}: {error}; {why} (Debian: apt install {package})"))
}

/// What a program prints, if it exits with 0.
fn output(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(output.status.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files() {
        for (current, maximum, expected) in [
            (Some(1024), Some(4096), Ok(Some(1024))),
            (None, None, Ok(None)),
            (Some(256), Some(4096), Ok(Some(4096))),
            (Some(256), None, Ok(Some(1024))),
            (Some(256), Some(512), Err(())),
        ] {
            assert_eq!(
                wanted_limit(current, maximum).map_err(|_| ()),
                expected,
                "{current:?} {maximum:?}"
            );
        }
    }

    #[test]
    fn versions_of_python() {
        for (version, suffices) in [
            ("3.11", true),
            ("3.13", true),
            ("4.0", true),
            ("3.10", false),
            ("2.7", false),
            ("x", false),
        ] {
            assert_eq!(python_suffices(version).is_ok(), suffices, "{version}");
        }
    }

    #[test]
    fn a_missing_program_is_an_error() {
        assert!(output("no-such-program", &[]).is_err());
        assert!(output("false", &[]).is_err());
    }
}

//! Where a receipt printer is, and how a line to it is opened: TCP, serial, a device file.
//!
//! A line that cannot be read from is still written to: then nothing the printer says ever proves anything.

use serde::Deserialize;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::unix::pipe;
use tokio_serial::SerialPortBuilderExt;

/// How long a connection to a printer may take.
const CONNECT: Duration = Duration::from_millis(1_500);
/// How long a write may make no progress before the printer counts as lost.
const WRITE: Duration = Duration::from_secs(10);
/// Bytes in flight without an acknowledgement for so long end the connection (receipts reference §4.1).
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);
/// An idle connection is probed after this, and again at the same distance.
const PROBE: Duration = Duration::from_secs(5);
/// Probes without an answer that end the connection.
const PROBES: u32 = 3;
/// The usual rate of serial receipt printers.
const BAUD_USUAL: u32 = 9_600;
/// Rates that serial receipt printers have.
const BAUDS: [u32; 8] = [1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200];
/// What an address may look like.
const ACCEPTED: &str = "tcp:host:port, host:port, serial:/dev/ttyS0?baud=9600 or file:/dev/usb/lp0";

/// Where a printer is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum PrinterAddress {
    /// A host and port, 9100 as a rule.
    Tcp(String),
    /// A serial port, eight data bits, no parity, one stop bit.
    Serial {
        /// Its device file.
        path: PathBuf,
        /// Bits a second.
        baud: u32,
    },
    /// A device file such as Linux gives a USB printer.
    File(PathBuf),
}

impl FromStr for PrinterAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text).ok_or_else(|| format!("printer \"{text}\" is not {ACCEPTED}"))
    }
}

impl TryFrom<String> for PrinterAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<std::net::SocketAddr> for PrinterAddress {
    fn from(address: std::net::SocketAddr) -> Self {
        Self::Tcp(address.to_string())
    }
}

impl fmt::Display for PrinterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp:{address}"),
            Self::Serial { path, baud } => write!(f, "serial:{}?baud={baud}", path.display()),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

fn parse(text: &str) -> Option<PrinterAddress> {
    if let Some(port) = text.strip_prefix("serial:") {
        let (path, baud) = match port.split_once('?') {
            Some((path, setting)) => (path, setting.strip_prefix("baud=")?.parse().ok()?),
            None => (port, BAUD_USUAL),
        };
        let path = device(path)?;
        return BAUDS
            .contains(&baud)
            .then_some(PrinterAddress::Serial { path, baud });
    }
    if let Some(path) = text.strip_prefix("file:") {
        return device(path).map(PrinterAddress::File);
    }
    let address = text.strip_prefix("tcp:").unwrap_or(text);
    let (host, port) = address.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let bare = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    let named = !host.is_empty() && bare && !host.contains(|c: char| c == '/' || c.is_whitespace());
    (named && port != 0).then(|| PrinterAddress::Tcp(address.to_owned()))
}

fn device(path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    path.is_absolute().then(|| path.to_owned())
}

/// What is read from a printer.
pub(super) type Reading = Box<dyn AsyncRead + Send + Unpin>;
/// What is written to it.
pub(super) type Writing = Box<dyn AsyncWrite + Send + Unpin>;

/// Writes all of it; false when the printer counts as lost.
pub(super) async fn write_whole(writing: &mut Writing, bytes: &[u8]) -> bool {
    let written = async {
        writing.write_all(bytes).await?;
        writing.flush().await
    };
    matches!(tokio::time::timeout(WRITE, written).await, Ok(Ok(())))
}

impl PrinterAddress {
    /// Bytes a second of a serial line, eight data bits between a start and a stop bit; `None` where the line is faster
    /// than any paper.
    pub fn line_bytes_per_s(&self) -> Option<u32> {
        match self {
            Self::Serial { baud, .. } => Some(baud / 10),
            Self::Tcp(_) | Self::File(_) => None,
        }
    }

    /// Opens the line; without a reading side when the device has none.
    pub(super) async fn open(&self) -> io::Result<(Option<Reading>, Writing)> {
        match self {
            Self::Tcp(address) => {
                let stream =
                    tokio::time::timeout(CONNECT, TcpStream::connect(address.as_str())).await??;
                watch_over(&stream)?;
                let (reading, writing) = stream.into_split();
                Ok((Some(Box::new(reading)), Box::new(writing)))
            }
            Self::Serial { path, baud } => {
                let port = tokio_serial::new(path.to_string_lossy(), *baud).open_native_async()?;
                let (reading, writing) = tokio::io::split(port);
                Ok((Some(Box::new(reading)), Box::new(writing)))
            }
            Self::File(path) => open_device(path),
        }
    }
}

/// The user time-out speaks while bytes are in flight, keep-alive while there are none; neither does the other's work.
fn watch_over(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(stream);
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    let probes = socket2::TcpKeepalive::new()
        .with_time(PROBE)
        .with_interval(PROBE)
        .with_retries(PROBES);
    socket.set_tcp_keepalive(&probes)
}

/// A printer's device file may be opened once only, so both sides share one opening. A FIFO would hand us our own bytes.
fn open_device(path: &Path) -> io::Result<(Option<Reading>, Writing)> {
    let mut opening = pipe::OpenOptions::new();
    opening.unchecked(true);
    if !std::fs::metadata(path)?.file_type().is_fifo() {
        match opening.read_write(true).open_sender(path) {
            Ok(both) => {
                let both = File::from(both.into_nonblocking_fd()?);
                let reading = pipe::Receiver::from_file_unchecked(both.try_clone()?)?;
                let writing = pipe::Sender::from_file_unchecked(both)?;
                return Ok((Some(Box::new(reading)), Box::new(writing)));
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                opening.read_write(false);
            }
            Err(error) => return Err(error),
        }
    }
    Ok((None, Box::new(opening.open_sender(path)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let found: Result<PrinterAddress, String> = text.parse();
        match (&found, expected) {
            (Ok(found), Some(expected)) => assert_eq!(found.to_string(), expected),
            (Err(problem), None) => assert!(problem.contains(ACCEPTED), "{problem}"),
            _ => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn addresses() {
        check("127.0.0.1:9100", Some("tcp:127.0.0.1:9100"));
        check("tcp:127.0.0.1:9100", Some("tcp:127.0.0.1:9100"));
        check("tcp:kitchen.example:9100", Some("tcp:kitchen.example:9100"));
        check("[::1]:9100", Some("tcp:[::1]:9100"));
        check("serial:/dev/ttyS0", Some("serial:/dev/ttyS0?baud=9600"));
        check(
            "serial:/dev/ttyUSB1?baud=115200",
            Some("serial:/dev/ttyUSB1?baud=115200"),
        );
        check("file:/dev/usb/lp0", Some("file:/dev/usb/lp0"));
        for wrong in [
            "",
            "printer",
            "127.0.0.1",
            "127.0.0.1:0",
            "127.0.0.1:91000",
            "::1:9100",
            "http://printer:9100",
            "serial:ttyS0",
            "serial:/dev/ttyS0?baud=9601",
            "serial:/dev/ttyS0?parity=odd",
            "file:lp0",
            "usb:04b8:0202",
        ] {
            check(wrong, None);
        }
    }
}

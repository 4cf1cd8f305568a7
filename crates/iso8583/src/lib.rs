//! Bytes to message and back for any dialect given as data; EMV TLV; framing; masked description.

mod codec;
pub mod describe;
mod dialect;
mod digits;
mod error;
pub mod field;
pub mod field44;
pub mod field48;
pub mod field54;
pub mod field60;
pub mod field61;
pub mod field63;
pub mod field90;
pub mod frame;
mod guess;
pub mod keys62;
pub mod mask;
mod message;
pub mod tlv;

pub use codec::MAC_BYTES;
pub use dialect::{DIALECT_BYTES_MAX, Dialect, DialectError};
pub use error::{Deviation, Error, ErrorKind};
pub use guess::{Layer, guess};
pub use message::{FIELD_MAX, Message, Mti};

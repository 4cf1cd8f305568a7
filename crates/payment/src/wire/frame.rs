//! Whole frames with their MAC: the last step before the wire and the first behind it, for both interfaces.

use crate::EdgeError;
use crate::terminal::MacCheck;
use crypto::{MacAlgorithm, SecurityModule, WrappedKey};
use iso8583::Message;
use iso8583::frame::{HostHeader, TerminalHeader, seal_host, seal_terminal};

/// Field 64 of a terminal message, over every byte before it (reference §5.4). Without a key nothing can be right.
pub fn check_terminal_mac(
    module: &dyn SecurityModule,
    key: Option<&WrappedKey>,
    body: &[u8],
    message: &Message,
) -> MacCheck {
    let Some((covered, mac)) = iso8583::Dialect::terminal().mac_parts(body, message) else {
        return MacCheck::Absent;
    };
    let right = key.is_some_and(|key| {
        module
            .mac_matches(MacAlgorithm::UnionPayEcb, key, &[covered], mac)
            .unwrap_or(false)
    });
    if right {
        MacCheck::Right
    } else {
        MacCheck::Wrong
    }
}

/// Appends a terminal frame, with field 64 under `key` where there is one.
pub fn write_terminal(
    module: &dyn SecurityModule,
    header: &TerminalHeader,
    message: &Message,
    key: Option<&WrappedKey>,
    frame: &mut Vec<u8>,
) -> Result<(), EdgeError> {
    let dialect = iso8583::Dialect::terminal();
    let mut refused = None;
    seal_terminal(header, frame, |out| match key {
        None => dialect.encode(message, out),
        Some(key) => dialect.encode_with_mac(message, out, |covered| {
            module
                .mac(MacAlgorithm::UnionPayEcb, key, &[covered])
                .unwrap_or_else(|error| {
                    refused = Some(error);
                    [0; 8]
                })
        }),
    })?;
    refused.map_or(Ok(()), |error| Err(error.into()))
}

/// Field 128 of a host message, over the fields of [`super::host::MAC_FIELDS`] that it carries.
pub fn check_host_mac(
    module: &dyn SecurityModule,
    algorithm: MacAlgorithm,
    key: Option<&WrappedKey>,
    message: &Message,
) -> MacCheck {
    let Some(mac) = message.get(128) else {
        return MacCheck::Absent;
    };
    let parts = host_mac_parts(message);
    let right = key.is_some_and(|key| {
        module
            .mac_matches(algorithm, key, &parts, mac)
            .unwrap_or(false)
    });
    if right {
        MacCheck::Right
    } else {
        MacCheck::Wrong
    }
}

/// Appends a host frame, with field 128 under `key` where there is one.
pub fn write_host(
    module: &dyn SecurityModule,
    header: &HostHeader,
    message: &mut Message,
    mac: Option<(MacAlgorithm, &WrappedKey)>,
    frame: &mut Vec<u8>,
) -> Result<(), EdgeError> {
    match mac {
        Some((algorithm, key)) => {
            let mac = module.mac(algorithm, key, &host_mac_parts(message))?;
            message.set(128, &mac);
        }
        None => message.remove(128),
    }
    seal_host(header, frame, |out| {
        iso8583::Dialect::host().encode(message, out)
    })?;
    Ok(())
}

/// The values that field 128 covers, in their order; a field that is not there adds nothing.
pub fn host_mac_parts(message: &Message) -> [&[u8]; super::host::MAC_FIELDS.len()] {
    super::host::MAC_FIELDS.map(|field| message.get(field).unwrap_or_default())
}

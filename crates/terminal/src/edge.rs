//! The terminal's edge: requests become bytes with a MAC, answers become meaning; the PIN pad enciphers here.

use crate::{Effect, Input, Presented, State, Terminal};
use crypto::{Pin, PinFormat};
use iso8583::frame::{TerminalHeader, open_terminal};
use iso8583::{Dialect, Message, Mti};
use payment::wire;
use payment::{
    EdgeError, EntryMode, Institution, Kind, Party, Peer, Said, Secrets, Surroundings, Track2,
};

impl Party for Terminal {
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }

    fn restore(&mut self, state: State) {
        self.state = state;
    }

    fn hear(
        &self,
        around: &Surroundings<'_>,
        from: Peer,
        frame: &[u8],
    ) -> Result<Input, EdgeError> {
        let Peer::Exchange(exchange) = from else {
            return Err(EdgeError::Stranger);
        };
        let open = self
            .state
            .exchange
            .as_ref()
            .filter(|e| e.number == exchange)
            .ok_or(EdgeError::Stranger)?;
        let (_, body) = open_terminal(frame)?;
        let mut message = Message::new(Mti(0));
        Dialect::terminal().decode(body, &mut message)?;
        let kind = open.request.kind();
        let answer = wire::terminal::read_answer(&message, kind)?;
        let key = self.state.keys.as_ref().map(|keys| &keys.mac);
        let mac = wire::frame::check_terminal_mac(around.module, key, body, &message);
        let keys = match (kind, answer.keys) {
            (Kind::SignOn, Some(field62)) => Some(Box::new(
                around
                    .module
                    .install_working_keys(&self.config.tmk, &field62.0)?,
            )),
            _ => None,
        };
        Ok(Input::Answer {
            exchange,
            mac,
            answer: Box::new(answer),
            keys,
        })
    }

    fn say(
        &self,
        around: &Surroundings<'_>,
        effect: &Effect,
        frame: &mut Vec<u8>,
    ) -> Result<Option<Said<Input>>, EdgeError> {
        let Effect::Send { exchange, sealed } = effect else {
            return Ok(None);
        };
        let mut message = Message::new(Mti(0));
        wire::terminal::write_request(sealed, around.module, &mut message)?;
        let key = self
            .state
            .keys
            .as_ref()
            .filter(|_| sealed.request.kind().row().mac)
            .map(|keys| &keys.mac);
        let mut header = TerminalHeader::COMMON;
        header.tpdu[3..].copy_from_slice(&self.config.source_address.to_be_bytes());
        wire::frame::write_terminal(around.module, &header, &message, key, frame)?;
        Ok(Some(Said {
            to: Peer::Exchange(*exchange),
            if_undelivered: Some(Input::NotSent {
                exchange: *exchange,
            }),
        }))
    }

    fn tick() -> Input {
        Input::Tick
    }

    fn resumed() -> Input {
        Input::Resumed
    }

    fn link_changed(_member: Institution, _up: bool) -> Option<Input> {
        None
    }
}

impl Terminal {
    /// What reader and PIN pad give for a card: the number sealed, the PIN enciphered under the current PIN key.
    /// Without keys there is nothing to encipher under, so a PIN needs a sign-on first.
    pub fn present(
        &self,
        around: &Surroundings<'_>,
        track2: Track2,
        pin: Option<&Pin>,
    ) -> Result<Presented, EdgeError> {
        let pan = track2.pan().ok_or(EdgeError::Stranger)?;
        let card = around.module.card(&pan, around.now.wall.day())?;
        let block = match (pin, &self.state.keys) {
            (Some(pin), Some(keys)) => Some(around.module.encipher_pin(
                &keys.pin,
                PinFormat::WithPan,
                pin,
                &pan,
            )?),
            _ => None,
        };
        let entry = if block.is_some() {
            EntryMode::STRIPE_PIN
        } else {
            EntryMode::STRIPE
        };
        let pin_format = block.is_some().then_some(PinFormat::WithPan);
        let expiry = track2.expiry();
        let secrets = Secrets {
            pan: Some(pan),
            track2: Some(track2),
            pin: block,
            pin_format,
            chip: None,
        };
        Ok(Presented {
            card,
            entry,
            expiry,
            secrets,
        })
    }
}

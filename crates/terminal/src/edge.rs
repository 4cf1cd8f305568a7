//! The terminal's edge: requests become bytes with a MAC, answers become meaning; the PIN pad enciphers here.

use crate::{Effect, Input, Presented, State, Terminal};
use crypto::{Pan, Pin, PinFormat};
use iso8583::frame::{TerminalHeader, open_terminal};
use iso8583::{Dialect, Message, Mti};
use payment::download::Download;
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
        let (header, body) = open_terminal(frame)?;
        let mut message = Message::new(Mti(0));
        Dialect::terminal().decode(body, &mut message)?;
        let kind = open.request.kind();
        let mut answer = wire::terminal::read_answer(&message, kind)?;
        answer.demands = Download::required(header.processing_requirement());
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
        let chip = self.complete_chip(&open.request, mac, &answer);
        Ok(Input::Answer {
            exchange,
            mac,
            answer: Box::new(answer),
            keys,
            chip,
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
            .filter(|_| sealed.request.carries_mac())
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

/// Field 22 would say stripe where the track says chip.
const CHIP_NOT_TRIED: EdgeError = EdgeError::Content(wire::WireError {
    field: 22,
    problem: wire::Problem::Contradicts,
});

impl Terminal {
    /// A payment code that the customer shows, or the number of an order that the shop shows.
    ///
    /// # Errors
    /// The security module refuses.
    pub fn scan(&self, around: &Surroundings<'_>, code: Pan) -> Result<Presented, EdgeError> {
        Ok(Presented {
            card: around.module.card(&code, around.now.wall.day())?,
            entry: EntryMode::CODE,
            expiry: None,
            secrets: Secrets {
                pan: Some(code),
                ..Secrets::default()
            },
            chip: None,
        })
    }

    /// The number that stands for an order before its payer is known: 99, batch, trace number, and four digits of the
    /// terminal's number. No scheme has a code that begins so, and a batch upload drops leading zeros.
    pub fn order_number(&self) -> Option<Pan> {
        let origin = self.origin();
        let fold = |sum: u32, byte: &u8| (sum * 31 + u32::from(*byte)) % 10_000;
        let terminal = origin.terminal.as_str().as_bytes().iter().fold(0, fold);
        let (batch, stan) = (origin.batch, self.state.next_stan);
        Pan::parse(format!("99{batch}{stan}{terminal:04}").as_bytes()).ok()
    }

    /// What a typed number gives: nobody presents a card, so there is no track, no chip and no PIN.
    ///
    /// # Errors
    /// The security module refuses.
    pub fn key_in(
        &self,
        around: &Surroundings<'_>,
        pan: Pan,
        expiry: Option<u16>,
    ) -> Result<Presented, EdgeError> {
        Ok(Presented {
            card: around.module.card(&pan, around.now.wall.day())?,
            entry: EntryMode::KEYED,
            expiry,
            secrets: Secrets {
                pan: Some(pan),
                ..Secrets::default()
            },
            chip: None,
        })
    }

    /// What reader and PIN pad give for a card: the number sealed, the PIN enciphered under the current PIN key.
    /// Without keys there is nothing to encipher under, so a PIN needs a sign-on first. A card with a chip that was not tried
    /// is refused (see [`Terminal::judge_swipe`]).
    pub fn present(
        &self,
        around: &Surroundings<'_>,
        track2: Track2,
        pin: Option<&Pin>,
    ) -> Result<Presented, EdgeError> {
        let pan = track2.pan().ok_or(EdgeError::Stranger)?;
        let condition = self.judge_swipe(&track2).map_err(|_| CHIP_NOT_TRIED)?;
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
        let entry = self.stripe_entry(condition, block.is_some());
        let pin_format = block.is_some().then_some(PinFormat::WithPan);
        let expiry = track2.expiry();
        let secrets = Secrets {
            pan: Some(pan),
            track2: Some(track2),
            pin: block,
            pin_format,
            ..Secrets::default()
        };
        Ok(Presented {
            card,
            entry,
            expiry,
            secrets,
            chip: None,
        })
    }
}

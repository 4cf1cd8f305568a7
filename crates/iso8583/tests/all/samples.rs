//! Every published sample decodes to its stated fields and re-encodes to its bytes, or is refused with field and offset.

use iso8583::{Dialect, Error, Layer, Message, Mti, guess};

/// A section of `samples.txt`.
pub struct Sample {
    pub name: &'static str,
    pub dialect: &'static Dialect,
    pub layer: Layer,
    pub bytes: Vec<u8>,
    well_formed: bool,
    mti: u16,
    fields: Vec<(u8, Vec<u8>)>,
    deviations: Vec<&'static str>,
    errors: Vec<&'static str>,
}

impl Sample {
    /// From the message type on; the bytes themselves if the frame is broken.
    pub fn body(&self) -> &[u8] {
        self.layer
            .body(self.dialect, &self.bytes)
            .unwrap_or(&self.bytes)
    }

    fn check(&self) {
        let (mut strict, mut lenient) = (Message::new(Mti(0)), Message::new(Mti(0)));
        let deviations = self
            .dialect
            .decode_lenient(self.body(), &mut lenient)
            .unwrap();
        let names: Vec<_> = deviations.iter().map(ToString::to_string).collect();
        assert_eq!(names, self.deviations, "{}", self.name);
        let decoded = self.dialect.decode(self.body(), &mut strict);
        if let Some(&first) = deviations.first() {
            assert_eq!(decoded, Err(Error::from(first)), "{}", self.name);
            assert_eq!(strict, Message::new(Mti(0)), "{}", self.name);
        } else {
            assert_eq!(decoded, Ok(()), "{}", self.name);
            assert_eq!(strict, lenient);
            let mut again = Vec::new();
            self.dialect.encode(&strict, &mut again).unwrap();
            assert_eq!(again, self.body(), "{}", self.name);
        }
        assert_eq!(lenient.mti(), Mti(self.mti), "{}", self.name);
        let fields: Vec<_> = lenient
            .fields()
            .map(|(field, value)| (field, value.to_vec()))
            .collect();
        assert_eq!(fields, self.fields, "{}", self.name);
        let (dialect, layer) = guess(&self.bytes).unwrap();
        assert_eq!(
            (dialect.name(), layer),
            (self.dialect.name(), self.layer),
            "{}",
            self.name
        );
    }

    fn check_refused(&self) {
        let errors = match self.open() {
            Err(error) => vec![error.to_string()],
            Ok(body) => {
                let mut message = Message::new(Mti(0));
                let strict = self
                    .dialect
                    .decode(body, &mut message)
                    .unwrap_err()
                    .to_string();
                match self.dialect.decode_lenient(body, &mut message) {
                    Ok(_) => vec![strict],
                    Err(lenient) => vec![strict, lenient.to_string()],
                }
            }
        };
        assert_eq!(errors, self.errors, "{}", self.name);
        let (dialect, layer) = guess(&self.bytes).unwrap();
        assert_eq!(
            (dialect.name(), layer),
            (self.dialect.name(), self.layer),
            "{}",
            self.name
        );
    }

    fn open(&self) -> Result<&[u8], Error> {
        match self.layer {
            Layer::Frame => iso8583::frame::open_terminal(&self.bytes).map(|(_, body)| body),
            _ => Ok(self.body()),
        }
    }
}

#[test]
fn well_formed_samples_have_their_fields_and_bytes() {
    let samples: Vec<_> = all()
        .into_iter()
        .filter(|sample| sample.well_formed)
        .collect();
    assert_eq!(samples.len(), 29);
    samples.iter().for_each(Sample::check);
}

#[test]
fn malformed_samples_are_refused_with_field_and_offset() {
    let samples: Vec<_> = all()
        .into_iter()
        .filter(|sample| !sample.well_formed)
        .collect();
    assert_eq!(samples.len(), 5);
    samples.iter().for_each(Sample::check_refused);
}

pub fn all() -> Vec<Sample> {
    let mut samples = Vec::new();
    for line in include_str!("samples.txt").lines() {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let (word, rest) = line.split_once(' ').unwrap();
        match word {
            "sample" | "refused" => samples.push(Sample {
                name: rest,
                dialect: Dialect::terminal(),
                layer: Layer::Body,
                bytes: Vec::new(),
                well_formed: word == "sample",
                mti: 0,
                fields: Vec::new(),
                deviations: Vec::new(),
                errors: Vec::new(),
            }),
            _ => detail(samples.last_mut().unwrap(), word, rest),
        }
    }
    samples
}

fn detail(sample: &mut Sample, word: &str, rest: &'static str) {
    match word {
        "dialect" => sample.dialect = Dialect::by_name(rest).unwrap(),
        "layer" => {
            sample.layer = match rest {
                "frame" => Layer::Frame,
                "without-length" => Layer::WithoutLength,
                "body" => Layer::Body,
                _ => panic!("unknown layer {rest}"),
            }
        }
        "hex" => sample.bytes = bytes(rest),
        "mti" => sample.mti = u16::from_str_radix(rest, 16).unwrap(),
        "deviation" => sample.deviations.push(rest),
        "error" => sample.errors.push(rest),
        field => {
            let value = match rest.strip_prefix('x') {
                Some(hex) => bytes(hex),
                None => rest.as_bytes().to_vec(),
            };
            sample.fields.push((field.parse().unwrap(), value));
        }
    }
}

pub fn bytes(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2), "odd number of hex digits");
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

//! The language all parties speak: money, kinds, messages, evidence, verdict, the machine contract.

//! Bytes to message and back for any dialect given as data; EMV TLV; framing; masked description.

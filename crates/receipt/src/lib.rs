//! A slip as a document, drawn as text and ESC/POS; what the printer's bytes mean; the spool.

//! What the benchmark and the load test share: the events, the machine, and tables.

pub mod events;
pub mod machine;
pub mod table;

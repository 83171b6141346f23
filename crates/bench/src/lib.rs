//! Code that the benchmark and the load test share: events, the machine and tables.

pub mod events;
pub mod machine;
pub mod table;

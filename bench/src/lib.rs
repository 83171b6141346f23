//! What the benchmark and the load test share: a stand-in for AWS, the events, the machine, and tables.

pub mod aws;
pub mod events;
pub mod machine;
pub mod table;

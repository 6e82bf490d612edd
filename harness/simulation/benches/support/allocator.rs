//! The allocator of the command, so that a bench measures what its users wait for.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

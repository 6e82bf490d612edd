fn main() -> std::process::ExitCode {
    linefault::suite("scenarios").actor("my-proxy", own_actor::proxy).run()
}

internal import ArgumentParser
internal import CPlatform
internal import ConversionCommand

/// `halcyon-convert`: what `halcyon convert` does, as a program that has none of the server in it.
@main
struct HalcyonConvert: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "halcyon-convert", abstract: ConversionArguments.abstract,
        discussion: ConversionArguments.discussion, version: "0.1.0")

    @OptionGroup var conversion: ConversionArguments

    func run() throws { try conversion.run(variables: VariableList.read(halcyon_environment())) }
}

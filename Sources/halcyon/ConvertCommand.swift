internal import ArgumentParser
internal import CPlatform
internal import ConversionCommand

/// `halcyon convert`: a model made ready for this machine.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: ConversionArguments.abstract, discussion: ConversionArguments.discussion)

    @OptionGroup var conversion: ConversionArguments

    func run() throws { try conversion.run(variables: VariableList.read(halcyon_environment())) }
}

// `import Halcyon` is all that an application writes: what its calls take and give comes along.
@_exported public import ModelConfigurations
@_exported public import ModelRepository
@_exported public import ModelRuntime
@_exported public import Scheduling
@_exported public import Tensors

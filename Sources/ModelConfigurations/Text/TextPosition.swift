/// A place in a file, from 1; the column counts bytes.
struct TextPosition: Hashable {
    var line = 1
    var column = 1
}

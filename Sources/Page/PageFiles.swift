/// What the page is made of: files that come from the binary, and what a browser may do with them.
package struct PageFiles: Sendable {
    /// One file.
    package struct File: Sendable {
        package var contentType: String
        package var bytes: [UInt8]
    }

    private static let script = "text/javascript; charset=utf-8"

    /// The file at a path behind `/page/`; `index.html` for the page itself.
    package static func file(_ name: String) -> File? {
        switch name {
        case "index.html":
            File(contentType: "text/html; charset=utf-8", bytes: PackageResources.index_html)
        case "style.css": File(contentType: "text/css; charset=utf-8", bytes: PackageResources.style_css)
        case "app.js": File(contentType: script, bytes: PackageResources.app_js)
        case "fields.js": File(contentType: script, bytes: PackageResources.fields_js)
        case "lanes.js": File(contentType: script, bytes: PackageResources.lanes_js)
        case "pictures.js": File(contentType: script, bytes: PackageResources.pictures_js)
        case "server.js": File(contentType: script, bytes: PackageResources.server_js)
        case "text.js": File(contentType: script, bytes: PackageResources.text_js)
        case "tryout.js": File(contentType: script, bytes: PackageResources.tryout_js)
        default: nil
        }
    }

    /// Nothing comes from elsewhere, nothing runs that is not one of these files, and no other page shows this one.
    package static let headers: [(name: String, value: String)] = [
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(self), microphone=(), geolocation=()"), ("Cache-Control", "no-cache"),
    ]
}

plugins {
    application
}

val alignVersion = "0.1.0-SNAPSHOT"

// The `align` command: on the PATH, or -Palign=/path/to/align.
val align = providers.gradleProperty("align").getOrElse("align")

repositories {
    mavenLocal()
    mavenCentral()
}

dependencies {
    implementation("org.alignlang:align-kernel:$alignVersion")
}

java {
    toolchain {
        languageVersion = JavaLanguageVersion.of(25)
    }
}

// Inputs and outputs are declared, so that Gradle runs it only if a spec has changed, and may take
// its output from the build cache. Align itself writes only what differs, and deletes what it has
// written before and no longer makes.
val generateAlign by tasks.registering(Exec::class) {
    val specs = layout.projectDirectory.dir("src/main/align")
    val sources = layout.buildDirectory.dir("generated/sources/align")
    val state = layout.buildDirectory.file("align-state")
    inputs.dir(specs).withPathSensitivity(PathSensitivity.RELATIVE)
    inputs.property("alignVersion", alignVersion)
    outputs.dir(sources)
    outputs.file(state)
    commandLine(
        align, "generate",
        "--tree", specs.asFile.path,
        "--out", sources.get().asFile.path,
        "--state", state.get().asFile.path,
        "--format", "maven",
    )
}

sourceSets {
    main {
        java {
            srcDir(generateAlign.map { layout.buildDirectory.dir("generated/sources/align").get() })
        }
    }
}

application {
    mainClass = "com.example.TrainPreferences"
}

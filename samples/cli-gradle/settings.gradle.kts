rootProject.name = "cli-gradle"

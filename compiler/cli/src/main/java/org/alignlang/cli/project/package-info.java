/** New projects. */
@NullMarked
package org.alignlang.cli.project;

import org.jspecify.annotations.NullMarked;

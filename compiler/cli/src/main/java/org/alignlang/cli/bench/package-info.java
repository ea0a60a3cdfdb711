/** What {@code align bench} does. */
@NullMarked
package org.alignlang.cli.bench;

import org.jspecify.annotations.NullMarked;

/** Arguments of components named in a spec: reading, bounds, and messages a person can act on. */
@NullMarked
package org.alignlang.runtime.argument;

import org.jspecify.annotations.NullMarked;

package no.bindeledd.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.schibsted.spt.data.jslt.Function;

/** The JSLT function {@code code(list, value[, column])}; see {@link CodeLists}. */
final class CodeFunction implements Function {
  static final String NAME = "code";

  private final CodeLists lists;

  CodeFunction(CodeLists lists) {
    this.lists = lists;
  }

  @Override
  public String getName() {
    return NAME;
  }

  @Override
  public int getMinArguments() {
    return 2;
  }

  @Override
  public int getMaxArguments() {
    return 3;
  }

  @Override
  public JsonNode call(JsonNode input, JsonNode[] arguments) {
    JsonNode value = arguments[1];
    if (value.isNull() || value.isMissingNode()) {
      return NullNode.instance;
    }
    String list = arguments[0].asText();
    if (!value.isValueNode()) {
      throw new UnknownCode(list);
    }
    return lists.look(list, value.asText(), arguments.length == 3 ? arguments[2].asText() : null);
  }
}

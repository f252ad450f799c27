// This file handles the kind bad_file.
#include "core/error.h"
#include "golden/case.h"
#include "io/weights_file.h"

namespace dan::golden {

namespace {

void runBadFile(Case& test) {
  const bool mustLoad = test.params().at("expect").get<std::string>().find("loads") != std::string::npos;
  try {
    io::readWeightsFile(test.filePath());
    if (!mustLoad) test.fail("it was read without an error");
  } catch (const CoreError& error) {
    if (mustLoad) test.fail(error.what());
    if (std::string(error.what()).find(test.filePath()) == std::string::npos) {
      test.fail(std::string("the error does not name the file: ") + error.what());
    }
  }
}

}  // namespace

void addFileHandlers(Handlers& handlers) { handlers["bad_file"] = {runBadFile}; }

}  // namespace dan::golden
